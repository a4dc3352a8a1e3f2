//! Reads parameters as sophon-auth does, with its words for what is wrong: clients match them.
//!
//! GET reads the query; other verbs read JSON where the content type says so, else a form and the query. Keys of JSON
//! match in any case, those of forms and queries only as they are.

use serde_json::{Map, Value};
use url::form_urlencoded;
use venus_core::types::address::AddressError;
use venus_core::types::{Address, address};

/// What a request says is wrong, in Go's words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BindError(pub(super) String);

type Bound<T> = Result<T, BindError>;

/// The parameters of a request, untyped.
#[derive(Debug)]
pub(super) enum Input {
    /// Members of a JSON object.
    Json(Map<String, Value>),
    /// Pairs of a form, then of the query.
    Form(Vec<(String, String)>),
    /// A body that is no JSON object; what is wrong is said once the struct's name is known.
    Wrong(&'static str),
}

impl Input {
    pub(super) fn of_query(query: &str) -> Self {
        Self::Form(pairs(query.as_bytes()))
    }

    pub(super) fn of_form(body: &[u8], query: &str) -> Self {
        let mut all = pairs(body);
        all.extend(pairs(query.as_bytes()));
        Self::Form(all)
    }

    /// The first value of a body; what stands behind it is left alone, as Go's decoder does.
    pub(super) fn of_json(body: &[u8]) -> Bound<Self> {
        match serde_json::Deserializer::from_slice(body).into_iter::<Value>().next() {
            None => Err(BindError("EOF".into())),
            Some(Err(error)) if error.is_eof() => Err(BindError("unexpected EOF".into())),
            Some(Err(error)) => Err(BindError(syntax(body, &error))),
            Some(Ok(Value::Object(members))) => Ok(Self::Json(members)),
            Some(Ok(Value::Null)) => Ok(Self::Json(Map::new())),
            Some(Ok(other)) => Ok(Self::Wrong(kind(&other))),
        }
    }
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text).into_owned().collect()
}

fn syntax(body: &[u8], error: &serde_json::Error) -> String {
    let line = body.split(|byte| *byte == b'\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    let found = line.get(error.column().saturating_sub(1)).copied().unwrap_or(b' ');
    format!("invalid character {:?} looking for beginning of value", char::from(found))
}

/// Go's name for what a JSON value is.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The parameters of a request as the members of one of Go's structs.
#[derive(Debug)]
pub(super) struct Bind<'a> {
    name: &'static str,
    input: &'a Input,
}

/// A member as it was given.
enum Given<'a> {
    Json(&'a Value),
    Form(&'a str),
}

impl<'a> Bind<'a> {
    /// `name` is the struct's, which errors quote.
    pub(super) fn new(name: &'static str, input: &'a Input) -> Bound<Self> {
        match input {
            Input::Wrong(kind) => {
                Err(BindError(format!("json: cannot unmarshal {kind} into Go value of type auth.{name}")))
            }
            _ => Ok(Self { name, input }),
        }
    }

    /// The member of Go's name; null is nothing.
    fn given(&self, field: &str) -> Option<Given<'a>> {
        match self.input {
            Input::Json(members) => {
                // Of keys that differ in case alone one is taken, always the same.
                let found = members.iter().rfind(|(key, _)| key.eq_ignore_ascii_case(field));
                found.map(|(_, value)| value).filter(|value| !value.is_null()).map(Given::Json)
            }
            Input::Form(pairs) => {
                let key = form_key(field);
                pairs.iter().find(|(known, _)| *known == key).map(|(_, value)| Given::Form(value))
            }
            Input::Wrong(_) => None,
        }
    }

    fn mismatch(&self, field: &str, value: &Value, wanted: &str) -> BindError {
        BindError(format!(
            "json: cannot unmarshal {} into Go struct field {}.{field} of type {wanted}",
            kind(value),
            self.name
        ))
    }

    /// That a member which must be there is not.
    pub(super) fn missing(&self, field: &str) -> BindError {
        let name = self.name;
        BindError(format!(
            "Key: '{name}.{field}' Error:Field validation for '{field}' failed on the 'required' tag"
        ))
    }

    /// A text, if given.
    pub(super) fn maybe_text(&self, field: &str) -> Bound<Option<String>> {
        match self.given(field) {
            None => Ok(None),
            Some(Given::Json(Value::String(text))) => Ok(Some(text.clone())),
            Some(Given::Json(other)) => Err(self.mismatch(field, other, "string")),
            Some(Given::Form(text)) => Ok(Some(text.to_owned())),
        }
    }

    /// A text, empty if not given.
    pub(super) fn text(&self, field: &str) -> Bound<String> {
        Ok(self.maybe_text(field)?.unwrap_or_default())
    }

    /// A text that must not be empty.
    pub(super) fn required(&self, field: &str) -> Bound<String> {
        let text = self.text(field)?;
        if text.is_empty() { Err(self.missing(field)) } else { Ok(text) }
    }

    /// A number, if given.
    pub(super) fn maybe_int(&self, field: &str) -> Bound<Option<i64>> {
        match self.given(field) {
            None => Ok(None),
            Some(Given::Json(value)) => match value.as_i64() {
                Some(number) => Ok(Some(number)),
                None => Err(self.mismatch(field, value, "int")),
            },
            Some(Given::Form("")) => Ok(Some(0)),
            Some(Given::Form(text)) => text.parse().map(Some).map_err(|_| not_a_number(text)),
        }
    }

    /// The number of a state, 0 if not given.
    pub(super) fn state(&self) -> Bound<i32> {
        let number = self.maybe_int("State")?.unwrap_or_default();
        i32::try_from(number).map_err(|_| BindError(format!("state {number} is out of range: give 1 or 2")))
    }

    /// True or false, if given.
    pub(super) fn flag(&self, field: &str) -> Bound<Option<bool>> {
        match self.given(field) {
            None | Some(Given::Form("")) => Ok(None),
            Some(Given::Json(Value::Bool(flag))) => Ok(Some(*flag)),
            Some(Given::Json(other)) => Err(self.mismatch(field, other, "bool")),
            Some(Given::Form("1" | "t" | "T" | "true" | "TRUE" | "True")) => Ok(Some(true)),
            Some(Given::Form("0" | "f" | "F" | "false" | "FALSE" | "False")) => Ok(Some(false)),
            Some(Given::Form(text)) => {
                Err(BindError(format!("strconv.ParseBool: parsing {text:?}: invalid syntax")))
            }
        }
    }

    /// An address; `None` if it is absent or empty.
    pub(super) fn address(&self, field: &str) -> Bound<Option<Address>> {
        match self.given(field) {
            None => Ok(None),
            Some(Given::Json(Value::String(text))) => read_address(text),
            Some(Given::Json(other)) => Err(self.mismatch(field, other, "string")),
            // The Go service puts queries into quotes, and so refuses those that are.
            Some(Given::Form(text)) => match text.strip_prefix('"').and_then(|rest| rest.chars().next()) {
                Some(c) => Err(BindError(format!("invalid character {c:?} after top-level value"))),
                None => read_address(text),
            },
        }
    }

    /// Texts, if given.
    pub(super) fn texts(&self, field: &str) -> Bound<Option<Vec<String>>> {
        match self.given(field) {
            None => Ok(None),
            Some(Given::Json(Value::Array(items))) => {
                let read = |item: &Value| match item {
                    Value::String(text) => Ok(text.clone()),
                    Value::Null => Ok(String::new()),
                    other => Err(self.mismatch(field, other, "string")),
                };
                items.iter().map(read).collect::<Bound<_>>().map(Some)
            }
            Some(Given::Json(other)) => Err(self.mismatch(field, other, "[]string")),
            Some(Given::Form(_)) => Ok(Some(self.repeated(field))),
        }
    }

    fn repeated(&self, field: &str) -> Vec<String> {
        let Input::Form(pairs) = self.input else { return Vec::new() };
        let key = form_key(field);
        pairs.iter().filter(|(known, _)| *known == key).map(|(_, value)| value.clone()).collect()
    }

    /// Addresses; none may be empty.
    pub(super) fn addresses(&self, field: &str) -> Bound<Vec<Address>> {
        let texts = self.texts(field)?.unwrap_or_default();
        let read = |text: &String| read_address(text)?.ok_or_else(no_address);
        texts.iter().map(read).collect()
    }

    /// A number inside the member `outer`, named by `kind` of Go, 0 if not given.
    pub(super) fn inner_int(&self, outer: &str, field: &str, kind_of: &str) -> Bound<i64> {
        let Some(Given::Json(value)) = self.given(outer) else { return Ok(0) };
        let Value::Object(members) = value else {
            return Err(self.mismatch(outer, value, "storage.ReqLimit"));
        };
        let found = members.iter().rfind(|(key, _)| key.eq_ignore_ascii_case(field));
        match found.map(|(_, value)| value) {
            None | Some(Value::Null) => Ok(0),
            Some(value) => value.as_i64().ok_or_else(|| {
                BindError(format!(
                    "json: cannot unmarshal {} into Go struct field {outer}.{outer}.{field} of type {kind_of}",
                    kind(value)
                ))
            }),
        }
    }
}

/// What Go says of an address that is none where one is needed.
pub(super) fn no_address() -> BindError {
    BindError("invalid protocol type: 255".into())
}

fn not_a_number(text: &str) -> BindError {
    BindError(format!("strconv.ParseInt: parsing {text:?}: invalid syntax"))
}

fn read_address(text: &str) -> Bound<Option<Address>> {
    if text.is_empty() || text == "<empty>" {
        return Ok(None);
    }
    address::parse(text).map(Some).map_err(|error| {
        BindError(
            match error {
                AddressError::Length(_) => "invalid address length",
                AddressError::Network => "unknown address network",
                AddressError::Malformed("wrong checksum") => "invalid address checksum",
                AddressError::Malformed("unknown protocol") => "unknown address protocol",
                _ => "invalid address payload",
            }
            .into(),
        )
    })
}

/// `OpenMining` is `openMining` in forms and queries, `API` is `api`.
fn form_key(field: &str) -> String {
    if field.chars().all(|c| c.is_ascii_uppercase()) {
        return field.to_ascii_lowercase();
    }
    let mut chars = field.chars();
    chars.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(chars).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json(body: &str) -> Bound<Input> {
        Input::of_json(body.as_bytes())
    }

    #[test]
    fn says_what_go_says() {
        let said = |body: &str| json(body).unwrap_err().0;
        assert_eq!(said(""), "EOF");
        assert_eq!(said("{\"a\":"), "unexpected EOF");
        assert_eq!(said("x"), "invalid character 'x' looking for beginning of value");
        let input = json("[1]").unwrap();
        let wrong = Bind::new("VerifyRequest", &input).unwrap_err().0;
        assert_eq!(wrong, "json: cannot unmarshal array into Go value of type auth.VerifyRequest");
    }

    #[test]
    fn keys_match_in_any_case_in_json_only() {
        let input = json(r#"{"OPENMINING":true,"user":"a","User":"b"} trailing"#).unwrap();
        let bind = Bind::new("UpsertMinerReq", &input).unwrap();
        assert_eq!(bind.flag("OpenMining").unwrap(), Some(true));
        let form = Input::of_query("name=a&Name=b&openMining=1");
        let bind = Bind::new("GetUserRequest", &form).unwrap();
        assert_eq!(bind.required("Name").unwrap(), "a");
        assert_eq!(bind.flag("OpenMining").unwrap(), Some(true));
        let form = Input::of_query("Name=b");
        assert!(Bind::new("GetUserRequest", &form).unwrap().required("Name").is_err());
    }

    proptest! {
        #[test]
        fn no_body_panics(body in proptest::collection::vec(any::<u8>(), 0..200), query in ".{0,80}") {
            let inputs = [Input::of_json(&body), Ok(Input::of_form(&body, &query)), Ok(Input::of_query(&query))];
            for input in inputs.into_iter().flatten() {
                let Ok(bind) = Bind::new("X", &input) else { continue };
                for field in ["Name", "State", "Miner", "Signers", "OpenMining", "ReqLimit"] {
                    let _ = (bind.text(field), bind.maybe_int(field), bind.flag(field), bind.address(field));
                    let _ = (bind.addresses(field), bind.inner_int(field, "Cap", "int64"));
                }
            }
        }

        #[test]
        fn no_object_panics(key in "[a-zA-Z]{1,10}", number in any::<f64>(), text in ".{0,120}") {
            let value = serde_json::json!({ key.clone(): [number, text, null, {"Cap": number}] });
            let input = json(&value.to_string()).unwrap();
            let bind = Bind::new("X", &input).unwrap();
            let _ = (bind.texts(&key), bind.address(&key), bind.addresses(&key), bind.maybe_int(&key));
        }
    }
}
