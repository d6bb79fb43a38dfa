//! A scenario on one machine, as a test case.

use super::{arguments, disks, file::Scenario, matrix};
use crate::{
    machine::{self, Config, Console, Ended, Outcome, Watch},
    options::RunOptions,
    run::Plan,
    suites::{Case, Context, STARTED_AGAIN, Verdict},
    tree,
};
use anyhow::Result;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The extension of scenario files.
const EXTENSION: &str = "scenario";

/// All cases of all scenario files of `folder`, by name.
pub fn load_all(folder: &Path) -> Result<Vec<Case>> {
    let mut paths: Vec<_> = fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == EXTENSION));
    paths.sort();
    let mut cases = Vec::new();
    for path in paths {
        let scenario = Scenario::read(&path)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        for (variant, suffix) in matrix::variants(&scenario) {
            let options = arguments::options(&scenario, variant, folder, &[])?;
            cases.push(Case {
                name: format!("{name}{suffix}"),
                about: scenario.about.clone(),
                tags: tags(&scenario, &options),
                skip: scenario.skip.clone(),
                machine: Some(variant.machine),
                // A machine with two CPUs rarely has both busy: dom0 waits for its guest, or the guest for dom0.
                cpus: 1,
                limit: arguments::timeout(&scenario, variant),
                build: Some(crate::run::build_options(&options)),
                run: runner(scenario.clone(), variant, folder.to_owned()),
            });
        }
    }
    Ok(cases)
}

fn tags(scenario: &Scenario, options: &RunOptions) -> Vec<String> {
    let mut tags = scenario.tags.clone();
    tags.push("scenarios".to_owned());
    tags.push(matrix::word(&options.machine));
    tags
}

fn runner(scenario: Scenario, variant: matrix::Variant, home: PathBuf) -> crate::suites::Runner {
    Box::new(move |context| {
        tree::create(&context.folder)?;
        let disks = disks::make(&scenario.disks, &context.folder)?;
        let options = arguments::options(&scenario, variant, &home, &disks)?;
        let verdict = boot(&scenario, &options, context);
        // Images are large, logs are what is kept.
        for image in disks.iter().map(|disk| &disk.image).chain([&context.folder.join("boot.img")]) {
            let _ = fs::remove_file(image);
        }
        verdict
    })
}

fn boot(scenario: &Scenario, options: &RunOptions, context: &Context) -> Result<Verdict> {
    let plan = Plan::new(options, context.base()?, &context.folder, Console::File)?;
    let timeout = plan.timeout.unwrap_or_default();
    let mut kept = machine::Kept::in_folder(&context.folder)?;
    let watch = Watch {
        console: scenario.until.console.as_deref().map(|pattern| (plan.config.console_log(), pattern)),
        hypervisor: scenario.until.hypervisor.as_deref().map(|pattern| (plan.config.hypervisor_log.clone(), pattern)),
    };
    let (outcome, again) = machine::start_and_drive(&plan.config, &mut kept, timeout, &watch)?;
    if let Some(why) = again {
        fs::write(context.folder.join(STARTED_AGAIN), why)?;
    }
    let mut wrong = end(scenario, &outcome);
    wrong.extend(outputs(scenario, &plan.config, &kept)?);
    Ok(if wrong.is_empty() { Verdict::Passed } else { Verdict::Failed(wrong) })
}

/// What is wrong with how the run ended.
fn end(scenario: &Scenario, outcome: &Outcome) -> Vec<String> {
    match (&outcome.ended, outcome.status) {
        (Ended::Seen, _) => vec![],
        (ended, _) if scenario.until.is_said() => vec![format!("the machine {ended}, and [until] was not seen")],
        (Ended::PoweredOff, Some(status)) if status == scenario.status => vec![],
        (Ended::PoweredOff, Some(status)) => vec![format!("exit status {status} instead of {}", scenario.status)],
        (ended, _) => vec![format!("the machine {ended}")],
    }
}

fn outputs(scenario: &Scenario, config: &Config, kept: &machine::Kept) -> Result<Vec<String>> {
    let file = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
    let mut wrong = scenario.stdout.check("stdout", &String::from_utf8_lossy(&kept.stdout))?;
    wrong.extend(scenario.stderr.check("stderr", &String::from_utf8_lossy(&kept.stderr))?);
    wrong.extend(scenario.console.check("dom0's console", &file(&config.console_log()))?);
    wrong.extend(scenario.hypervisor.check("the hypervisor's log", &file(&config.hypervisor_log))?);
    Ok(wrong)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_was_waited_for_must_come() {
        let wrong = |until: &str, ended: Ended, status: Option<i32>| {
            let scenario = toml::from_str(&format!("about = 'x'\ntimeout = 9\n{until}")).unwrap();
            end(&scenario, &Outcome { status, ready_after: None, ended }).len()
        };
        let until = "[until]\nhypervisor = 'y'";
        assert_eq!(wrong("", Ended::PoweredOff, Some(0)), 0);
        assert_eq!(wrong("", Ended::PoweredOff, Some(1)), 1);
        assert_eq!(wrong(until, Ended::Seen, None), 0);
        assert_eq!(wrong(until, Ended::PoweredOff, Some(0)), 1);
        assert_eq!(wrong(until, Ended::TimedOut, None), 1);
    }
}
