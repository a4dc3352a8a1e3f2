//! Names in any case.

use toml::{Table, Value};

/// `value` with the names of all its tables in lower case. Names inside arrays and below the second level belong to
/// whoever reads them there, and stay.
pub(super) fn keys(value: Value) -> Result<Value, String> {
    fold(value, 2)
}

fn fold(value: Value, depth: usize) -> Result<Value, String> {
    let Value::Table(table) = value else { return Ok(value) };
    if depth == 0 {
        return Ok(Value::Table(table));
    }
    let mut folded = Table::new();
    for (name, value) in table {
        let name = name.to_lowercase();
        if folded.contains_key(&name) {
            return Err(format!("`{name}` stands twice, in different case"));
        }
        folded.insert(name, fold(value, depth - 1)?);
    }
    Ok(Value::Table(folded))
}
