#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! Who may know whom, from cargo's own description of the workspace.

use std::{collections::BTreeSet, fs};

use cargo_metadata::{Metadata, MetadataCommand, Package, TargetKind};
use venus_tests::workspace::root;

const CORE: &str = "venus-core";
const COMMON: &str = "venus-bins-common";
const LIBRARIES: [&str; 9] = [
    "venus-auth",
    CORE,
    "venus-devnet",
    "venus-gateway",
    "venus-market",
    "venus-messager",
    "venus-miner",
    "venus-sealing",
    "venus-signer",
];

fn metadata() -> Metadata {
    MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec().unwrap()
}

fn folder(package: &Package) -> String {
    let dir = package.manifest_path.parent().unwrap();
    dir.strip_prefix(root().to_str().unwrap()).unwrap().as_str().replace('\\', "/")
}

/// Programs, examples and cross-crate tests: the only places where components meet.
fn composes(package: &Package) -> bool {
    let folder = folder(package);
    folder == "examples" || folder == "tests" || folder.starts_with("bins/")
}

/// Members of the workspace that `package` depends on, whatever the kind: normal, build or dev.
fn knows<'a>(package: &'a Package, members: &BTreeSet<&str>) -> BTreeSet<&'a str> {
    let names = package.dependencies.iter().map(|dependency| dependency.name.as_str());
    names.filter(|name| members.contains(name)).collect()
}

#[test]
fn the_libraries_are_the_ones_of_the_architecture() {
    let metadata = metadata();
    let packages = metadata.workspace_packages();
    let found: BTreeSet<&str> = packages.iter().filter(|p| !composes(p)).map(|p| p.name.as_str()).collect();
    assert_eq!(found, BTreeSet::from(LIBRARIES));
    let bare: Vec<_> =
        packages.iter().filter(|p| !p.targets.iter().any(|t| t.is_lib() || t.is_bin())).collect();
    assert!(bare.is_empty(), "packages without a target: {bare:?}");
}

#[test]
fn a_library_knows_core_and_no_sibling() {
    let metadata = metadata();
    let packages = metadata.workspace_packages();
    let members = packages.iter().map(|p| p.name.as_str()).collect();
    let mut seen = 0;
    for package in packages.iter().filter(|p| !composes(p)) {
        let allowed = if package.name.as_str() == CORE { BTreeSet::new() } else { BTreeSet::from([CORE]) };
        assert_eq!(knows(package, &members), allowed, "what {} knows", package.name);
        seen += 1;
    }
    assert_eq!(seen, LIBRARIES.len());
}

#[test]
fn nobody_depends_on_a_program() {
    let metadata = metadata();
    let packages = metadata.workspace_packages();
    let programs: BTreeSet<&str> = packages
        .iter()
        .filter(|p| composes(p))
        .map(|p| p.name.as_str())
        .filter(|name| *name != COMMON)
        .collect();
    for package in &packages {
        assert_eq!(knows(package, &programs), BTreeSet::new(), "{} depends on a program", package.name);
    }
    let members = packages.iter().map(|p| p.name.as_str()).collect();
    let common = packages.iter().find(|p| p.name.as_str() == COMMON).unwrap();
    let known = knows(common, &members);
    assert!(known.is_subset(&BTreeSet::from([CORE])), "{COMMON} knows a component: {known:?}");
}

#[test]
fn programs_are_named_apart_from_libraries() {
    let metadata = metadata();
    let mut programs = 0;
    for package in metadata.workspace_packages() {
        for target in package.targets.iter().filter(|target| target.kind.contains(&TargetKind::Bin)) {
            assert!(folder(package).starts_with("bins/"), "{} has a program outside bins/", package.name);
            assert!(package.name.as_str().ends_with("-bin"), "{} must end in -bin", package.name);
            assert!(!target.doc, "{}: set doc = false, its pages would cover a library's", target.name);
            programs += 1;
        }
    }
    assert!(programs >= 2);
}

#[test]
fn what_is_published_can_be_found() {
    for package in metadata().workspace_packages() {
        if package.publish.as_ref().is_some_and(Vec::is_empty) {
            continue;
        }
        let name = &package.name;
        assert!(package.description.as_ref().is_some_and(|text| text.len() >= 20), "{name}: description");
        assert!(package.license.as_deref() == Some("MIT OR Apache-2.0"), "{name}: licence");
        assert!((1..=5).contains(&package.keywords.len()), "{name}: one to five keywords");
        assert!(
            package.keywords.iter().all(|word| word.len() <= 20),
            "{name}: keywords of at most 20 letters"
        );
        assert!((1..=5).contains(&package.categories.len()), "{name}: one to five categories");
        assert!(package.readme().is_some_and(|readme| readme.exists()), "{name}: README");
        assert!(
            package.repository.is_some() && package.rust_version.is_some(),
            "{name}: repository, rust-version"
        );
    }
}

/// Dependencies of a member that are not inherited, as `table.name`.
fn not_inherited(manifest: &toml::Table) -> Vec<String> {
    let mut faults = Vec::new();
    for (key, value) in manifest {
        let Some(table) = value.as_table() else { continue };
        match key.as_str() {
            "dependencies" | "dev-dependencies" | "build-dependencies" => {
                let own = table.iter().filter(|(_, how)| !is_inherited(how));
                faults.extend(own.map(|(name, _)| format!("{key}.{name}")));
            }
            "target" => {
                faults.extend(table.values().filter_map(toml::Value::as_table).flat_map(not_inherited))
            }
            _ => {}
        }
    }
    faults
}

fn is_inherited(how: &toml::Value) -> bool {
    how.get("workspace").and_then(toml::Value::as_bool) == Some(true)
}

#[test]
fn every_dependency_is_named_once() {
    for package in metadata().workspace_packages() {
        let text = fs::read_to_string(&package.manifest_path).unwrap();
        let manifest: toml::Table = text.parse().unwrap();
        assert_eq!(not_inherited(&manifest), Vec::<String>::new(), "in {}", package.manifest_path);
        let lints = manifest["lints"].get("workspace").and_then(toml::Value::as_bool);
        assert_eq!(lints, Some(true), "{} must take the workspace's lints", package.name);
    }
}

#[test]
fn the_check_finds_what_is_not_inherited() {
    let manifest = r#"
        [dependencies]
        good.workspace = true
        also = { workspace = true, features = ["x"] }
        plain = "1"
        [dev-dependencies]
        near = { path = "../near" }
        [target.'cfg(unix)'.build-dependencies]
        far = { git = "https://example.org/far" }
    "#;
    let mut faults = not_inherited(&manifest.parse().unwrap());
    faults.sort();
    assert_eq!(faults, ["build-dependencies.far", "dependencies.plain", "dev-dependencies.near"]);
}

#[test]
fn nothing_comes_from_git_or_without_a_version() {
    let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let named = manifest["workspace"]["dependencies"].as_table().unwrap();
    assert!(named.len() > LIBRARIES.len());
    for (name, how) in named {
        let version = how.as_str().or_else(|| how.get("version").and_then(toml::Value::as_str));
        assert!(version.is_some_and(|version| !version.contains('*')), "{name} needs a version");
        assert!(how.get("git").is_none(), "{name} comes from git");
        assert!(how.get("path").is_none() || name.starts_with("venus-"), "{name} is outside the workspace");
    }
    for section in ["patch", "replace"] {
        assert!(!manifest.contains_key(section), "[{section}] does not reach those who use the crates");
    }
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    assert!(lock.contains("name = \"venus-core\""));
    assert!(!lock.contains("source = \"git+"), "Cargo.lock takes a package from git");
}
