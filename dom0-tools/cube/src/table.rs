//! Tables for people: columns aligned, no lines, numbers to the right.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

/// A table with a heading. Columns whose heading begins with `>` are aligned to the right.
pub fn table(heading: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = bare();
    table.set_header(heading.iter().map(|title| title.trim_start_matches('>')));
    table.add_rows(rows);
    for (n, title) in heading.iter().enumerate() {
        if let Some(column) = table.column_mut(n) {
            column.set_padding((0, 2));
            if title.starts_with('>') {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
    }
    table.trim_fmt()
}

/// Pairs, one a line.
pub fn pairs(rows: &[(&str, String)]) -> String {
    let mut table = bare();
    table.add_rows(rows.iter().map(|(key, value)| [(*key).to_owned(), value.clone()]));
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

fn bare() -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_are_aligned() {
        let rows = vec![vec!["a".into(), "1".into()], vec!["longer".into(), "1000".into()]];
        assert_eq!(super::table(&["NAME", ">SIZE"], rows), "NAME    SIZE\na          1\nlonger  1000");
        assert_eq!(super::pairs(&[("a", "1".into()), ("long", "2".into())]), "a     1\nlong  2");
    }
}
