//! Names in any case.

use toml::{Table, Value};

/// `value` with the names of all its tables in lower case. Names inside arrays and below the second level belong to
/// whoever reads them there, and stay.
pub(super) fn keys(value: Value) -> Result<Value, String> {
    fold(value, 2)
}

/// Which key it is that cannot be read, and why; never its value, which may be a secret.
pub(super) fn blame(table: &Value, error: &toml::de::Error) -> String {
    let bad = |value: Table| Value::Table(value).try_into::<super::Config>().err();
    let alone = |name: &str, value: &Value| Table::from_iter([(name.to_owned(), value.clone())]);
    for (section, value) in table.as_table().into_iter().flatten() {
        for (key, one) in value.as_table().into_iter().flatten() {
            if let Some(error) = bad(alone(section, &Value::Table(alone(key, one)))) {
                return format!("[{section}] {key}: {}", without_value(error.message()));
            }
        }
        if let Some(error) = bad(alone(section, value)) {
            return format!("{section}: {}", without_value(error.message()));
        }
    }
    without_value(error.message())
}

/// `invalid type: string "x", expected u32` without the `"x"`.
fn without_value(message: &str) -> String {
    let Some((what, rest)) = message.split_once(": ") else { return message.to_owned() };
    match rest.rsplit_once(", expected ") {
        Some((found, expected)) if what.starts_with("invalid ") => {
            let kind = found.split([' ', '`', '"']).next().unwrap_or_default();
            format!("{what}: {kind}, expected {expected}")
        }
        _ => message.to_owned(),
    }
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
