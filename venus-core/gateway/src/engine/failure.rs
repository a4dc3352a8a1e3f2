//! How attempts fail, and what the caller is told in the end.

use std::time::Duration;

use venus_core::types::Address;

use super::meaning::Meaning;
use crate::error::HubError;
use crate::register::bounded;

/// Bytes of a provider's text that the caller gets: whoever dialled in decides how long it is.
const LONGEST_TEXT: usize = 4096;

/// How one provider failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// It was not asked: its queue is full, or it has as many questions as it may have.
    Full,
    /// It went away.
    Closed,
    /// It said nothing in its time.
    Silent,
    /// It answered an error that another provider may not have.
    Refused(String),
    /// It answered what is no answer, or no good one.
    Bad(HubError),
    /// It answered an error that is final.
    Final(HubError),
}

impl Failure {
    /// What a provider's error is.
    pub(super) fn said(text: &str) -> Self {
        let text = bounded(text, LONGEST_TEXT);
        match Meaning::of(&text).is_mended_elsewhere() {
            true => Self::Refused(text),
            false => Self::Final(HubError::Provider(text)),
        }
    }

    pub(super) fn wrong_signature(signer: &Address, reason: String) -> Self {
        Self::Bad(HubError::BadSignature { signer: *signer, reason })
    }
}

/// The failures of one request.
#[derive(Debug)]
pub(super) struct Failures {
    method: &'static str,
    deadline: Duration,
    /// How many providers there were.
    candidates: usize,
    full: usize,
    silent: usize,
    last: Option<Failure>,
}

impl Failures {
    pub(super) fn new(method: &'static str, deadline: Duration, candidates: usize) -> Self {
        Self { method, deadline, candidates, full: 0, silent: 0, last: None }
    }

    pub(super) fn note(&mut self, failure: Failure) {
        match &failure {
            Failure::Full => self.full += 1,
            Failure::Silent => self.silent += 1,
            _ => {}
        }
        // What somebody said tells more than that others were full or silent.
        let tells = !matches!(failure, Failure::Full | Failure::Silent);
        if tells || self.last.is_none() {
            self.last = Some(failure);
        }
    }

    /// After the last one failed.
    pub(super) fn into_error(mut self) -> HubError {
        let timeout = HubError::Timeout { method: self.method, after: self.deadline };
        let only = self.candidates <= 1;
        match self.last.take() {
            None => timeout,
            Some(_) if self.full == self.candidates => HubError::Overloaded,
            Some(Failure::Full) if only => HubError::Overloaded,
            Some(Failure::Full | Failure::Silent) => timeout,
            Some(Failure::Final(error)) => error,
            Some(Failure::Closed) if only => HubError::Closed,
            Some(Failure::Refused(text)) if only => HubError::Provider(text),
            Some(Failure::Bad(error)) if only => error,
            Some(Failure::Closed) => self.all("channel closed".to_owned()),
            Some(Failure::Refused(text)) => self.all(text),
            Some(Failure::Bad(error)) => self.all(error.to_string()),
        }
    }

    fn all(&self, last: String) -> HubError {
        HubError::AllFailed { method: self.method, last }
    }
}
