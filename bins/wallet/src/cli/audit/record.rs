//! `record` commands, as the Go wallet has them.

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};
use venus_core::types::{MsgType, address};
use venus_signer::Payload;
use venus_signer::audit::{RecordQuery, SignRecord};

use super::{CliError, Ctx, said, table};

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum RecordCommand {
    /// Asks the running wallet for its records.
    Query(QueryArgs),
}

/// Which records.
#[derive(Debug, Args)]
pub(crate) struct QueryArgs {
    /// Of this key.
    #[arg(long)]
    address: Option<String>,
    /// Of this type.
    #[arg(long = "type", value_name = "TYPE")]
    msg_type: Option<String>,
    /// From this time on, as 2026-1-2-15:04:05 in UTC or as RFC 3339.
    #[arg(long, visible_alias = "after", short = 'f', value_name = "TIME")]
    from: Option<String>,
    /// Up to this time.
    #[arg(long, visible_alias = "before", value_name = "TIME")]
    to: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 0)]
    limit: u64,
    /// Leaves out so many of the latest.
    #[arg(long, visible_alias = "skip", default_value_t = 0)]
    offset: u64,
    /// Only requests that got no signature.
    #[arg(long)]
    error: bool,
    /// This record only.
    #[arg(long)]
    id: Option<String>,
    /// Prints all there is, and what was to be signed.
    #[arg(long, short)]
    verbose: bool,
}

/// Runs one.
pub(crate) async fn run(ctx: &Ctx, command: RecordCommand) -> Result<(), CliError> {
    let RecordCommand::Query(args) = command;
    let query = args.query()?;
    // Go's wallet answers null where it keeps no records.
    let records: Option<Vec<SignRecord>> = ctx.call("ListSignedRecord", (query,)).await?;
    let records = records.unwrap_or_default();
    if args.verbose {
        let details = records.iter().map(detailed).collect::<Vec<_>>();
        return ctx.print(&indented(&details)?, &details);
    }
    let text = table::text(&["SIGNER", "TYPE", "TIME", "ERROR"], records.iter().map(line));
    ctx.print(&text, &records)
}

impl QueryArgs {
    fn query(&self) -> Result<RecordQuery, CliError> {
        if let Some(unknown) = self.msg_type.as_deref().filter(|name| !known(name)) {
            return Err(unsupported(unknown));
        }
        let mut query = RecordQuery::default();
        query.id.clone_from(&self.id);
        query.msg_type.clone_from(&self.msg_type);
        query.signer = self.address.as_deref().map(address::parse).transpose().map_err(said)?;
        query.is_error = self.error;
        (query.skip, query.limit) = (self.offset, self.limit);
        query.after = self.from.as_deref().map(time).transpose()?;
        query.before = self.to.as_deref().map(time).transpose()?;
        Ok(query)
    }
}

fn known(name: &str) -> bool {
    MsgType::ALL.iter().any(|kind| kind.as_str() == name)
}

fn unsupported(name: &str) -> CliError {
    let types: Vec<&str> = MsgType::ALL.iter().map(|kind| kind.as_str()).collect();
    CliError(format!("supported types:\n{}\nunsupported type {name}", types.join("\n")))
}

fn time(text: &str) -> Result<OffsetDateTime, CliError> {
    let layout = format_description!(
        "[year]-[month padding:none]-[day padding:none]-[hour padding:none]:[minute]:[second]"
    );
    let local = PrimitiveDateTime::parse(text, &layout).map(PrimitiveDateTime::assume_utc);
    local.or_else(|_| OffsetDateTime::parse(text, &Rfc3339)).map_err(|_| {
        CliError(format!("{text:?} is no time; write it as 2026-1-2-15:04:05 or 2026-01-02T15:04:05+08:00"))
    })
}

fn line(record: &SignRecord) -> Vec<String> {
    vec![
        record.signer.clone(),
        record.msg_type.clone(),
        go_time(record.created_at),
        record.err.clone().unwrap_or_else(|| "no error".into()),
    ]
}

/// As Go prints a time: `2026-11-21 08:29:07.187189969 +0000 UTC`.
fn go_time(time: OffsetDateTime) -> String {
    let utc = time.to_offset(time::UtcOffset::UTC);
    let text = utc.format(&Rfc3339).unwrap_or_default();
    format!("{} +0000 UTC", text.trim_end_matches('Z').replace('T', " "))
}

/// The record, with what it was about behind its own members.
#[derive(Debug, Serialize)]
struct Detailed<'a> {
    #[serde(flatten)]
    record: &'a SignRecord,
    #[serde(rename = "Detail")]
    detail: Value,
}

fn detailed(record: &SignRecord) -> Detailed<'_> {
    let kind = MsgType::from_name(&record.msg_type).unwrap_or_default();
    let detail = Payload::from_record(kind, record.raw_msg.as_deref().unwrap_or_default());
    Detailed { record, detail }
}

/// Go's indentation: tabs, and a blank before every line but the first.
fn indented(records: &[Detailed<'_>]) -> Result<String, CliError> {
    let mut out = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut out, PrettyFormatter::with_indent(b"\t"));
    records.serialize(&mut serializer).map_err(said)?;
    Ok(String::from_utf8(out).map_err(said)?.replace('\n', "\n "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_printed_as_go_prints_them() {
        let text = r#"{"ID":"3bedbe9e-1b29-4998-926c-33f22c09c43d","Type":"verifyaddress","Signer":"f1a7bxv27ztj5pjqpr3qjxvevxkb2ex6cpcvbhfsq","Err":null,"RawMsg":"WCAzw2brXl4jZxi5zb+V4wkahzFF4nqg6WZyNg/SRAzvGg==","Signature":{"Type":0,"Data":null},"CreateAt":"2026-11-21T08:29:07.187189969Z"}"#;
        let record: SignRecord = serde_json::from_str(text).unwrap();
        let line = table::text(&["SIGNER", "TYPE", "TIME", "ERROR"], [line(&record)].into_iter());
        let expected = "f1a7bxv27ztj5pjqpr3qjxvevxkb2ex6cpcvbhfsq  verifyaddress  2026-11-21 08:29:07.187189969 +0000 UTC  no error\n";
        assert!(line.ends_with(expected), "{line}");
        assert_eq!(serde_json::to_string(&record).unwrap(), text);
        let verbose = indented(&[detailed(&record)]).unwrap();
        assert!(verbose.starts_with("[\n \t{\n \t\t\"ID\": ") && verbose.ends_with(" \t}\n ]"), "{verbose}");
        assert!(verbose.contains("\"Hex\": \"582033c366eb"), "{verbose}");
    }

    #[test]
    fn times_and_types() {
        for text in ["2026-1-2-15:04:05", "2026-01-02-15:04:05", "2026-01-02T17:04:05+02:00"] {
            assert_eq!(go_time(time(text).unwrap()), "2026-01-02 15:04:05 +0000 UTC");
        }
        assert!(time("yesterday").is_err());
        let text = unsupported("nope").to_string();
        assert!(text.starts_with("supported types:\n") && text.ends_with("\nunsupported type nope"));
        assert_eq!(text.lines().count(), 15);
    }
}
