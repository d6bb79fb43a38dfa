//! Values by name, as they come in lines of JSON: `{"benchmark":NAME, "ns_per_op":VALUE}` from the
//! test guest, `{"benchmark":NAME,"value":VALUE}` from scripts.

use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Line {
    benchmark: String,
    #[serde(alias = "ns_per_op")]
    value: f64,
}

/// All values of one side.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Samples(BTreeMap<String, Vec<f64>>);

impl Samples {
    /// Adds a value.
    pub fn add(&mut self, name: &str, value: f64) {
        self.0.entry(name.to_owned()).or_default().push(value);
    }

    /// Takes a line of output, if it is a value.
    pub fn take(&mut self, line: &str) {
        if let Ok(line) = serde_json::from_str::<Line>(line.trim()) {
            self.add(&line.benchmark, line.value);
        }
    }

    /// The least and the most, if there is a value.
    pub fn spread(&self, name: &str) -> Option<(f64, f64)> {
        let values = self.0.get(name)?;
        Some((values.iter().copied().reduce(f64::min)?, values.iter().copied().reduce(f64::max)?))
    }

    /// The median, if there is a value.
    pub fn median(&self, name: &str) -> Option<f64> {
        let mut values = self.0.get(name)?.clone();
        values.sort_by(f64::total_cmp);
        let (low, high) = (values.get((values.len() - 1) / 2)?, values.get(values.len() / 2)?);
        Some(f64::midpoint(*low, *high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_of_lines() {
        let mut samples = Samples::default();
        for line in [
            r#"{"benchmark":"cpuid","rounds":5,"ns_per_op":30}"#,
            "noise",
            r#" {"benchmark":"cpuid","value":10.0}"#,
            r#"{"benchmark":"cpuid","ns_per_op":100}"#,
        ] {
            samples.take(line);
        }
        assert_eq!(samples.median("cpuid"), Some(30.0));
        samples.add("cpuid", 40.0);
        assert_eq!(samples.median("cpuid"), Some(35.0));
        assert_eq!(samples.spread("cpuid"), Some((10.0, 100.0)));
        assert_eq!(samples.median("port"), None);
    }
}
