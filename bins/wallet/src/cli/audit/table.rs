//! Tables as Go's tabwriter prints them: columns two spaces apart, nothing behind the last one.

/// The table of a header and lines, one line of text each.
pub(super) fn text(header: &[&str], lines: impl Iterator<Item = Vec<String>>) -> String {
    let mut rows: Vec<Vec<String>> = vec![header.iter().map(|name| (*name).to_owned()).collect()];
    rows.extend(lines);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let last = row.len().saturating_sub(1);
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            if column == last { cell.clone() } else { format!("{cell:width$}  ") }
        });
        cells.chain(["\n".to_owned()]).collect::<String>()
    };
    rows.iter().map(line).collect()
}
