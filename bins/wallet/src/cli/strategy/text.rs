//! The texts of the Go wallet.

use std::fmt::Write as _;

use venus_signer::strategy::{GroupAuth, KeyBind, MethodTemplate, MsgEnum, MsgTypeTemplate};

pub(super) fn codes(types: MsgEnum) -> String {
    types.codes().iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

/// One key bind: three lines.
pub(super) fn key_bind(bind: &KeyBind) -> String {
    let (types, methods) = (codes(bind.meta_types), bind.methods.join(","));
    format!("address\t: {}\ntypes\t: {types}\nmethods\t: {methods}\n", bind.address)
}

/// Numbered blocks of lines, an empty line behind each. `labels` are those of name and address.
pub(super) fn key_binds(binds: &[KeyBind], indent: &str, labels: [&str; 2]) -> String {
    let [name, address] = labels;
    let mut text = String::new();
    for (at, bind) in binds.iter().enumerate() {
        let lines = [
            ("num", (at + 1).to_string()),
            (name, bind.name.clone()),
            (address, bind.address.clone()),
            ("types", codes(bind.meta_types)),
            ("methods", bind.methods.join(",")),
        ];
        block(&mut text, indent, &lines);
    }
    text
}

pub(super) fn token_info(info: &GroupAuth) -> String {
    let binds = key_binds(&info.key_binds, "\t", ["name", "addr"]);
    format!("groupName: {}\nkeyBinds:\n{binds}", info.name)
}

pub(super) fn method_templates(rows: &[MethodTemplate]) -> String {
    let mut text = String::new();
    for (at, row) in rows.iter().enumerate() {
        let number = (at + 1).to_string();
        block(
            &mut text,
            "",
            &[("num", number), ("name", row.name.clone()), ("methods", row.methods.join(","))],
        );
    }
    text
}

pub(super) fn type_templates(rows: &[MsgTypeTemplate]) -> String {
    let mut text = String::new();
    for (at, row) in rows.iter().enumerate() {
        let number = (at + 1).to_string();
        block(
            &mut text,
            "",
            &[("num", number), ("name", row.name.clone()), ("types", codes(row.meta_types))],
        );
    }
    text
}

/// Numbers and values, one a line.
pub(super) fn numbered<'a>(values: impl Iterator<Item = &'a str>, between: &str) -> String {
    let mut text = String::new();
    for (at, value) in values.enumerate() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}{between}{value}", at + 1);
    }
    text
}

fn block(text: &mut String, indent: &str, lines: &[(&str, String)]) {
    for (label, value) in lines {
        let _ = writeln!(text, "{indent}{label}\t: {value}");
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bind() -> KeyBind {
        KeyBind {
            id: 1,
            name: "kb1".into(),
            address: "f01000".into(),
            meta_types: MsgEnum::from_bits(7),
            methods: vec!["CreateMiner".into(), "Send".into()],
        }
    }

    #[test]
    fn texts_are_those_of_go() {
        assert_eq!(key_bind(&bind()), "address\t: f01000\ntypes\t: 0,1,2\nmethods\t: CreateMiner,Send\n");
        let block = "num\t: 1\nname\t: kb1\naddr\t: f01000\ntypes\t: 0,1,2\nmethods\t: CreateMiner,Send\n\n";
        assert_eq!(key_binds(&[bind()], "", ["name", "addr"]), block);
        let group =
            "num\t: 1\nkeybind\t: kb1\naddress\t: f01000\ntypes\t: 0,1,2\nmethods\t: CreateMiner,Send\n\n";
        assert_eq!(key_binds(&[bind()], "", ["keybind", "address"]), group);
        let info =
            GroupAuth { token: "5a4ce5ad".into(), group: 1, name: "g".into(), key_binds: vec![bind()] };
        let lines = "groupName: g\nkeyBinds:\n\tnum\t: 1\n\tname\t: kb1\n\taddr\t: f01000\n\ttypes\t: 0,1,2\n\
                     \tmethods\t: CreateMiner,Send\n\n";
        assert_eq!(token_info(&info), lines);
        let types = MsgTypeTemplate { id: 1, name: "t".into(), meta_types: MsgEnum::from_bits(63) };
        assert_eq!(type_templates(&[types]), "num\t: 1\nname\t: t\ntypes\t: 0,1,2,3,4,5\n\n");
        let methods = MethodTemplate { id: 1, name: "m".into(), methods: vec!["Send".into()] };
        assert_eq!(method_templates(&[methods]), "num\t: 1\nname\t: m\nmethods\t: Send\n\n");
        assert_eq!(numbered(["a", "b"].into_iter(), "\t: "), "1\t: a\n2\t: b\n");
    }
}
