//! What became of the messages that did not land as they should.

use venus_core::api::{IMessager, MessageRecord, MessageState, MessagerError};

use super::error::DemoError;
use super::report::{Failure, MAX_FAILURES};

/// The exit code of a message whose gas limit did not suffice (`SYS_OUT_OF_GAS`).
const OUT_OF_GAS: u32 = 7;

/// Whether no more epochs help: each of the missing messages has come to an end that is not success.
///
/// # Errors
/// If the messager does not answer.
pub(crate) async fn is_settled(messager: &dyn IMessager, missing: &[String]) -> Result<bool, DemoError> {
    for id in missing {
        let record = match messager.get(id).await {
            Ok(record) => record,
            Err(MessagerError::NotFound(_)) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        if !is_at_its_end(&record) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The first of the missing messages, each with what went wrong.
///
/// # Errors
/// If the messager does not answer.
pub(crate) async fn failures(
    messager: &dyn IMessager,
    missing: &[String],
) -> Result<Vec<Failure>, DemoError> {
    let mut failures = Vec::new();
    for id in missing.iter().take(MAX_FAILURES) {
        failures.push(match messager.get(id).await {
            Ok(record) => failure(&record),
            Err(MessagerError::NotFound(_)) => {
                let (state, reason) = ("unknown".into(), "it was never handed over".into());
                Failure { id: id.clone(), state, exit_code: None, reason }
            }
            Err(error) => return Err(error.into()),
        });
    }
    Ok(failures)
}

fn is_at_its_end(record: &MessageRecord) -> bool {
    match record.state {
        MessageState::Landed => exit_code(record).is_some_and(|code| code != 0),
        MessageState::Failed | MessageState::Cancelled => true,
        _ => false,
    }
}

fn exit_code(record: &MessageRecord) -> Option<u32> {
    record.lookup.as_ref().map(|lookup| lookup.receipt.exit_code.value())
}

fn failure(record: &MessageRecord) -> Failure {
    let exit_code = exit_code(record);
    let reason = match (&record.error, exit_code) {
        (Some(error), _) => error.clone(),
        (None, Some(OUT_OF_GAS)) => {
            "out of gas: the state changed after the gas was estimated; a nonce is used once, so send it anew"
        }
        .to_owned(),
        (None, Some(_)) => "the chain refused to execute it; a nonce is used once, so send it anew".into(),
        (None, None) => "no block took it in time; mine more epochs".into(),
    };
    Failure { id: record.id.clone(), state: record.state.as_str().to_owned(), exit_code, reason }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tokio_util::sync::CancellationToken;
    use venus_bins_common::progress::Progress;
    use venus_core::types::{Address, TokenAmount};

    use super::super::compose::Pool;
    use super::super::plan::{Cast, Transfer};
    use super::super::run::Run;
    use super::super::state::Spec;
    use super::super::{Report, report};

    /// Runs a plan of one's own to its end.
    async fn run(spec: &Spec, cast: &Cast, plan: &[Transfer], dir: &Path) -> Report {
        let pool = Pool::open(spec, cast, plan, dir).await.unwrap();
        let (stop, progress) = (CancellationToken::new(), Progress::silent());
        let outcome = Run::new(&pool, spec, plan, &stop, dir, &progress).finish().await.unwrap();
        let report = report(&pool, spec.seed, plan, outcome).await.unwrap();
        pool.close().await;
        report
    }

    /// What the demo avoids: many transfers to the same new address. Those of epoch 4 are estimated while it exists;
    /// the fork undoes its creation, and one of them has to pay for it.
    #[tokio::test(flavor = "multi_thread")]
    async fn failed_receipts_are_named_and_end_the_run() {
        let spec = Spec::new(1, 40, 3, 8, true);
        let cast = Cast::new(&spec).await.unwrap();
        let transfer = |index: u64| Transfer {
            id: format!("t-{index}"),
            from: cast.senders[index as usize % cast.senders.len()],
            to: Address::new_secp256k1(&[(index % 10) as u8; 65]).unwrap(),
            value: TokenAmount::from_nano(index + 1),
            due: if index < 10 { 3 } else { 4 },
        };
        let plan: Vec<_> = (0..40).map(transfer).collect();
        let tmp = tempfile::tempdir().unwrap();
        let report = run(&spec, &cast, &plan, tmp.path()).await;
        assert!(report.lost > 0 && report.reorgs == 1, "{report:?}");
        assert!(report.epochs < 20, "ended early: {report:?}");
        let text = report.complaints().join("\n");
        assert!(text.contains("is landed with exit code 7: out of gas"), "{text}");
    }
}
