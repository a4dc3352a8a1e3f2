//! What varies from run to run: uuids, ports, times, the order of lists that Go keeps in maps.

use std::collections::HashMap;

use data_encoding::BASE64;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

/// What a recorded uuid is in this run.
#[derive(Default)]
pub struct Names(HashMap<String, String>);

/// What was found to vary between two texts.
#[derive(Default)]
struct Changes {
    /// Recorded JSON text, and what stands in its place.
    texts: Vec<(String, String)>,
    counts: bool,
}

impl Names {
    /// The recorded text with the uuids of this run.
    pub fn mend(&self, recorded: &str) -> String {
        self.0.iter().fold(recorded.to_owned(), |text, (old, new)| text.replace(old.as_str(), new))
    }

    /// The recorded text with everything that may vary taken from `live`, and whether a count of requests differs: ours
    /// counts what is under way, too.
    pub fn adapt(&mut self, recorded: &str, live: &str) -> (String, bool) {
        let (Ok(old), Ok(new)) =
            (serde_json::from_str::<Value>(recorded), serde_json::from_str::<Value>(live))
        else {
            return (self.mend(recorded), false);
        };
        let mut changes = Changes::default();
        self.walk("", &old, &new, &mut changes);
        let mut text = recorded.to_owned();
        for (old, new) in &changes.texts {
            text = text.replace(old.as_str(), new);
        }
        (self.mend(&text), changes.counts)
    }

    fn walk(&mut self, key: &str, old: &Value, new: &Value, changes: &mut Changes) {
        match (old, new) {
            (Value::Object(old), Value::Object(new)) => {
                for (name, value) in old {
                    self.walk(name, value, new.get(name).unwrap_or(&Value::Null), changes);
                }
            }
            (Value::Array(a), Value::Array(b)) if is_set(key) && sorted(a) == sorted(b) => {
                changes.texts.push((old.to_string(), new.to_string()));
            }
            (Value::Array(old), Value::Array(new)) if !is_set(key) => {
                for (old, new) in self.paired(old, new) {
                    self.walk(key, old, new, changes);
                }
            }
            (Value::String(old), Value::String(new)) => self.text(key, old, new, changes),
            (Value::Number(old), Value::Number(new)) if key == "RequestCount" && old != new => {
                changes.counts = true;
                changes.texts.push((format!("\"RequestCount\":{old}"), format!("\"RequestCount\":{new}")));
            }
            _ => {}
        }
    }

    /// Channels of a miner or an account, which stand in any order, by the names that are known.
    fn paired<'a>(&self, old: &'a [Value], new: &'a [Value]) -> Vec<(&'a Value, &'a Value)> {
        let known = |value: &Value| value["ChannelId"].as_str().and_then(|id| self.0.get(id)).cloned();
        let pair = |(at, old): (usize, &'a Value)| {
            let same = known(old).and_then(|id| new.iter().find(|new| new["ChannelId"] == id.as_str()));
            Some((old, same.or(new.get(at))?))
        };
        old.iter().enumerate().filter_map(pair).collect()
    }

    fn text(&mut self, key: &str, old: &str, new: &str, changes: &mut Changes) {
        let is_uuid = |text: &str| text.len() == 36 && Uuid::try_parse(text).is_ok();
        let host = |text: &str| text.rsplit_once(':').map(|(host, _)| host.to_owned());
        let is_time = |text: &str| text.ends_with('Z') && OffsetDateTime::parse(text, &Rfc3339).is_ok();
        if is_uuid(old) && is_uuid(new) {
            self.0.entry(old.to_owned()).or_insert_with(|| new.to_owned());
        } else if key == "Payload" {
            let (Some(inner), Some(live)) = (decoded(old), decoded(new)) else { return };
            if self.adapt(&inner, &live).0 == live {
                changes.texts.push((old.to_owned(), new.to_owned()));
            }
        } else if (key == "Ip" && host(old) == host(new)) || (key == "CreateTime" && is_time(new)) {
            changes.texts.push((old.to_owned(), new.to_owned()));
        }
    }
}

/// Go keeps these in maps.
fn is_set(key: &str) -> bool {
    matches!(key, "Addrs" | "SupportAccounts")
}

fn sorted(list: &[Value]) -> Vec<String> {
    let mut list: Vec<_> = list.iter().map(Value::to_string).collect();
    list.sort();
    list
}

/// The text in base64.
pub fn decoded(payload: &str) -> Option<String> {
    String::from_utf8(BASE64.decode(payload.as_bytes()).ok()?).ok()
}
