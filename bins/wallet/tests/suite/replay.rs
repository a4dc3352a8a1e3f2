//! What venus-wallet v1.20.0 answered, asked again in the same order.

use std::collections::BTreeMap;

use crate::replay_deviations::{REDUCED, deviation};
use crate::support::{Answer, Wallet, http, recorded};
use data_encoding::BASE64;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use venus_core::crypto::verify;
use venus_core::types::{MsgMeta, MsgType, Signature, address};
use venus_signer::server::{Claims, Tokens};
use venus_signer::{Caller, Payload, SignRequest, SigningNetwork};

/// The token of all rights in the recording.
const ADMIN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJBbGxvdyI6WyJyZWFkIiwid3JpdGUiLCJzaWduIiwiYWRtaW4iXX0.U9LgJDgRSdOcUOMQTsiRhPswf_SzAzTVt9JtT5PBprs";

/// How an answer of ours differs on purpose.
pub enum Deviation {
    /// An error of code 1 with this in its text.
    Error(&'static str),
    /// A signature where Go refused.
    Signed,
    /// A list of records.
    Records,
    /// Nothing is there: 404.
    Gone,
}

/// Texts of the recording that stand for others here: tokens, made addresses, ids of records.
#[derive(Default)]
struct Names(Vec<(String, String)>);

impl Names {
    fn add(&mut self, theirs: impl Into<String>, ours: impl Into<String>) {
        self.0.push((theirs.into(), ours.into()));
    }

    fn ours(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours))
    }
}

/// Tokens depend on the secret, which the recording does not have: the same claims are signed with ours.
fn tokens(lines: &[Value], secret: Vec<u8>) -> Names {
    let tokens = Tokens::new(secret.into());
    let mut names = Names::default();
    let made =
        lines.iter().filter(|line| line["req"]["body"].as_str().unwrap().contains("Filecoin.AuthNew\""));
    let made = made.filter_map(|line| {
        let body: Value = serde_json::from_str(line["res"]["body"].as_str()?).ok()?;
        String::from_utf8(BASE64.decode(body["result"].as_str()?.as_bytes()).ok()?).ok()
    });
    let mut all: Vec<String> = made.collect();
    // Tokens that were made before the recording began.
    for line in lines {
        let header = line["req"]["headers"]["Authorization"].as_str().unwrap_or_default();
        all.extend(header.strip_prefix("Bearer ").map(str::to_owned));
        all.extend(words(line["req"]["body"].as_str().unwrap()));
    }
    all.push(ADMIN.into());
    for theirs in all {
        let theirs = theirs.split("___").next().unwrap().to_owned();
        let Some(claims) = theirs.split('.').nth(1).filter(|_| !theirs.ends_with("AAAA")) else { continue };
        let claims = data_encoding::BASE64URL_NOPAD.decode(claims.as_bytes()).unwrap();
        let claims: Claims = serde_json::from_slice(&claims).unwrap();
        let ours = tokens.issue(&claims);
        let ours = ours.expose_secret();
        names.add(BASE64.encode(theirs.as_bytes()), BASE64.encode(ours.as_bytes()));
        names.add(&theirs, ours);
        // One with a changed end.
        names.add(&theirs[..theirs.len() - 4], &ours[..ours.len() - 4]);
    }
    names
}

fn words(body: &str) -> Vec<String> {
    body.split('"').filter(|word| word.starts_with("eyJ")).map(str::to_owned).collect()
}

/// How many answers were the same, and of those how many in which way.
#[derive(Default)]
struct Count(BTreeMap<&'static str, Vec<u64>>);

impl Count {
    fn add(&mut self, what: &'static str, n: u64) {
        self.0.entry(what).or_default().push(n);
    }
}

#[test]
fn all_recorded_requests_in_order() {
    let lines = recorded("wallet.jsonl");
    let mut wallet = Wallet::init();
    wallet.allow_all();
    wallet.start(&[]);
    let mut names = tokens(&lines, wallet.secret());
    let (mut count, mut failures) = (Count::default(), Vec::new());
    let mut again: BTreeMap<String, String> = BTreeMap::new();
    for line in &lines {
        let n = line["n"].as_u64().unwrap();
        let sent = &line["req"];
        let headers: Vec<(String, String)> = sent["headers"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.clone(), names.ours(value.as_str().unwrap())))
            .collect();
        let body = names.ours(sent["body"].as_str().unwrap());
        let answer = http(wallet.addr(), &names.ours(sent["start"].as_str().unwrap()), &headers, &body);
        let expected = &line["res"];
        match compare(n, &body, expected, &answer, &mut names, &mut again) {
            Ok(how) => count.add(how, n),
            Err(why) => {
                failures.push(format!("{n} {}: {why}\n  sent {}", line["case"], &body[..body.len().min(300)]))
            }
        }
    }
    for (how, cases) in &count.0 {
        let listed = if *how == "the same" { String::new() } else { format!(": {cases:?}") };
        println!("{:4} {how}{listed}", cases.len());
    }
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), lines.len(), failures.join("\n"));
    assert_eq!(count.0.values().map(Vec::len).sum::<usize>(), 472);
    assert_eq!(wallet.stop(), 0);
}

type Compared = Result<&'static str, String>;

fn compare(
    n: u64,
    request: &str,
    expected: &Value,
    answer: &Answer,
    names: &mut Names,
    again: &mut BTreeMap<String, String>,
) -> Compared {
    if let Some((deviation, reason)) = deviation(n) {
        return deviates(&deviation, reason, expected, answer, names);
    }
    let differ = |what: &str, theirs: &dyn std::fmt::Display, ours: &dyn std::fmt::Display| {
        Err(format!("{what}\n  Go   {theirs}\n  ours {ours}"))
    };
    let status = expected["status"].as_u64().unwrap();
    if status != answer.status {
        return differ("status", &format!("{status} {}", expected["body"]), &format!("{answer:?}"));
    }
    for (name, value) in expected["headers"].as_object().unwrap() {
        let ours = answer.header(name);
        let varies = ["Date", "Content-Length", "Connection", "Transfer-Encoding"].contains(&name.as_str());
        let same = varies || ours == value.as_str();
        if !same {
            return differ(name, value, &format!("{ours:?}"));
        }
    }
    let theirs = names.ours(&expected["body"].as_str().unwrap().replace(REDUCED, ""));
    if theirs == answer.body {
        return Ok("the same");
    }
    let (Ok(theirs), Ok(ours)) =
        (serde_json::from_str::<Value>(&theirs), serde_json::from_str::<Value>(&answer.body))
    else {
        return differ("body", &theirs, &answer.body);
    };
    let method =
        serde_json::from_str::<Value>(request).map(|r| r["method"].as_str().unwrap_or("").to_owned());
    let outside = |value: &Value| json!([value["jsonrpc"], value["id"], value["error"]]);
    if outside(&theirs) != outside(&ours) {
        return differ("body", &theirs, &ours);
    }
    let (theirs, ours) = (&theirs["result"], &ours["result"]);
    if let Some(version) = ours["Version"].as_str() {
        let ours = json!({ "Version": version.split('+').next(), "APIVersion": ours["APIVersion"] });
        return if *theirs == ours {
            Ok("varies: our version behind a +")
        } else {
            differ("version", theirs, &ours)
        };
    }
    match method.unwrap_or_default().as_str() {
        "Filecoin.WalletNew" => {
            names.add(theirs.as_str().unwrap(), ours.as_str().unwrap());
            let kind = |value: &Value| value.as_str().unwrap()[..2].to_owned();
            if kind(theirs) == kind(ours) {
                Ok("varies: a new address")
            } else {
                differ("address", theirs, ours)
            }
        }
        "Filecoin.LogList" => Ok("varies: what has a log level"),
        "Filecoin.WalletSign" => signature(request, theirs, ours, again),
        _ => differ("result", theirs, ours),
    }
}

/// Go's nonces are random: both signatures have to verify over the same bytes, and ours are the same every time.
fn signature(request: &str, theirs: &Value, ours: &Value, again: &mut BTreeMap<String, String>) -> Compared {
    let request: Value = serde_json::from_str(request).unwrap();
    let params = &request["params"];
    let signer = address::parse(params[0].as_str().unwrap()).unwrap();
    let bytes = |value: &Value| BASE64.decode(value.as_str().unwrap_or_default().as_bytes()).unwrap();
    let msg_type = MsgType::from_name(params[2]["Type"].as_str().unwrap()).unwrap();
    let meta = MsgMeta { msg_type, extra: bytes(&params[2]["Extra"]) };
    let to_sign = bytes(&params[1]);
    let caller = Caller::embedded();
    let request = SignRequest { signer, to_sign: &to_sign, meta: &meta, caller: &caller };
    let payload = Payload::read(&request, &SigningNetwork::default()).map_err(|e| e.to_string())?;
    for (who, signature) in [("Go", theirs), ("ours", ours)] {
        let signature: Signature = serde_json::from_value(signature.clone()).map_err(|e| e.to_string())?;
        verify(&signature, &signer, &payload.signing_bytes()).map_err(|e| format!("{who}: {e}"))?;
    }
    let key = params.to_string();
    match again.insert(key, ours.to_string()) {
        Some(before) if Some(&before) != again.get(&params.to_string()) => {
            Err("our signature differs from the one before".into())
        }
        _ => Ok("varies: random nonce, both signatures verify"),
    }
}

fn deviates(
    deviation: &Deviation,
    reason: &'static str,
    expected: &Value,
    answer: &Answer,
    names: &mut Names,
) -> Compared {
    let same =
        expected["status"].as_u64() == Some(answer.status) && expected["body"].as_str() == Some(&answer.body);
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let message = body["error"]["message"].as_str().unwrap_or_default();
    let as_told = match deviation {
        Deviation::Error(text) => {
            answer.status == 200 && body["error"]["code"] == json!(1) && message.contains(text)
        }
        Deviation::Signed => answer.status == 200 && body["result"]["Type"].is_u64(),
        Deviation::Records => {
            let theirs: Value = serde_json::from_str(expected["body"].as_str().unwrap()).unwrap();
            records(&theirs["result"], &body["result"], names)?;
            true
        }
        Deviation::Gone => answer.status == 404,
    };
    match (same, as_told) {
        (true, _) => Err(format!("no deviation any more: {reason}")),
        (false, true) => Ok(reason),
        (false, false) => Err(format!("another deviation than told ({reason}): {answer:?}")),
    }
}

/// Every record of ours tells what became of the request: a signature or an error, and never both. The ones of Go are
/// among them, but for what is refused here.
fn records(theirs: &Value, ours: &Value, names: &mut Names) -> Result<(), String> {
    let (theirs, ours) = (theirs.as_array().unwrap(), ours.as_array().ok_or("no list")?);
    for record in ours {
        let signed = record["Signature"]["Data"].is_string();
        let failed = record["Err"].is_string();
        if signed == failed || !record["RawMsg"].is_string() || !record["CreateAt"].is_string() {
            return Err(format!("not told what became of it: {record}"));
        }
    }
    // Go tells no bytes (CBOR's null) from an empty list of them.
    let raw = |record: &Value| record["RawMsg"].to_string().replace("9g==", "QA==");
    let key = |record: &Value| format!("{} {} {}", record["Type"], record["Signer"], raw(record));
    // The answer with all of them, and not those with a part, which begins and ends elsewhere among ours.
    if theirs.len() > 100 {
        let signed = ours.iter().filter(|record| record["Err"].is_null());
        let mut signed: Vec<String> = signed.map(key).collect();
        let mut missing = Vec::new();
        for record in theirs.iter().map(key) {
            match signed.iter().position(|ours| *ours == record) {
                Some(at) => drop(signed.swap_remove(at)),
                None => missing.push(record),
            }
        }
        println!(
            "     of Go's {} records {} are not among ours, and {} more",
            theirs.len(),
            missing.len(),
            signed.len()
        );
        let (odd, refused): (Vec<_>, Vec<_>) = missing.iter().partition(|r| !r.starts_with("\"message\""));
        if !odd.is_empty() || refused.len() != 9 {
            return Err(format!("missing: {odd:#?}\nmore: {signed:#?}"));
        }
    }
    if let (Some(theirs), Some(ours)) = (theirs.first(), ours.first()) {
        names.add(theirs["ID"].as_str().unwrap(), ours["ID"].as_str().unwrap());
    }
    Ok(())
}
