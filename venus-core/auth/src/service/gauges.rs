//! Numbers for those who watch the service.
//!
//! sophon-auth calls them `token/amount`, `user/amount`, `token/verify` and `api/state`.

use std::collections::BTreeMap;

use venus_core::api::Permissions;

use super::AuthService;
use crate::error::AuthError;
use crate::model::UserState;

/// The permissions that tokens have. Others are counted together: labels must be few, and anything may stand there.
const PERMISSIONS: [&str; 5] = ["read", "write", "sign", "admin", "other"];
const STATES: [&str; 4] = ["undefined", "enabled", "disabled", "other"];

/// A permission as a label.
pub(crate) fn label(perm: &str) -> &'static str {
    if Permissions::up_to(perm) == Permissions::NONE {
        return "other";
    }
    PERMISSIONS.into_iter().find(|known| *known == perm).unwrap_or("other")
}

fn state(state: UserState) -> &'static str {
    match state {
        UserState::Undefined => "undefined",
        UserState::Enabled => "enabled",
        UserState::Disabled => "disabled",
        UserState::Other(_) => "other",
    }
}

impl AuthService {
    /// Sets `venus_auth_tokens{permission}` and `venus_auth_users{state}` to what the store holds, and `venus_auth_up` to
    /// 1, or to 0 if the store fails. To be called now and then.
    ///
    /// # Errors
    /// [`AuthError::Store`].
    pub async fn measure(&self) -> Result<(), AuthError> {
        let measured = self.count_all().await;
        metrics::gauge!("venus_auth_up").set(if measured.is_ok() { 1.0 } else { 0.0 });
        measured
    }

    async fn count_all(&self) -> Result<(), AuthError> {
        let tokens = self.store().count_tokens().await?;
        let users = self.store().count_users().await?;
        let tokens = sums(&PERMISSIONS, tokens.iter().map(|(perm, count)| (label(perm), *count)));
        for (permission, count) in tokens {
            metrics::gauge!("venus_auth_tokens", "permission" => permission).set(count as f64);
        }
        for (state, count) in sums(&STATES, users.iter().map(|(known, count)| (state(*known), *count))) {
            metrics::gauge!("venus_auth_users", "state" => state).set(count as f64);
        }
        Ok(())
    }
}

/// What there is of each label; of those that are gone, nothing.
fn sums(
    labels: &[&'static str],
    counts: impl Iterator<Item = (&'static str, u64)>,
) -> BTreeMap<&'static str, u64> {
    let mut sums: BTreeMap<_, _> = labels.iter().map(|label| (*label, 0)).collect();
    for (label, count) in counts {
        *sums.entry(label).or_default() += count;
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_few() {
        let labels = ["read", "admin", "root", "", "x"].map(label);
        assert_eq!(labels, ["read", "admin", "other", "other", "other"]);
        let counted = sums(&STATES, [("other", 2), ("other", 3), ("enabled", 1)].into_iter());
        assert_eq!(
            counted.into_iter().collect::<Vec<_>>(),
            [("disabled", 0), ("enabled", 1), ("other", 5), ("undefined", 0)]
        );
    }
}
