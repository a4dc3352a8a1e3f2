//! Limits of requests.

use std::time::Duration;

use super::{Actor, AuthService, Change};
use crate::error::AuthError;
use crate::model::LimitRow;
use crate::store::Changed;

/// Shorter periods make no sense, and in Go's enforcers a division by zero below a second.
const MIN_PERIOD: Duration = Duration::from_millis(1);

impl AuthService {
    /// Adds or replaces a limit, and answers its id: the given one, or a new UUID.
    ///
    /// # Errors
    /// [`AuthError::Invalid`] for a negative number.
    pub async fn put_limit(&self, actor: &Actor, mut limit: LimitRow) -> Result<String, AuthError> {
        actor.admin()?;
        if limit.capacity < 0 {
            return Err(AuthError::Invalid(format!(
                "a limit of {} requests: give 0 for none",
                limit.capacity
            )));
        }
        if limit.id.is_empty() {
            limit.id = self.new_id()?.to_string();
        }
        limit.period = limit.period.max(MIN_PERIOD);
        self.store().put_limit(&limit).await?;
        let record = Change::of("limit.put", limit.name).after(&(&limit.id, limit.capacity));
        self.record(actor, record).await?;
        Ok(limit.id)
    }

    /// Removes a limit.
    ///
    /// # Errors
    /// [`AuthError::NotFound`].
    pub async fn remove_limit(&self, actor: &Actor, name: &str, id: &str) -> Result<(), AuthError> {
        actor.admin()?;
        if name.is_empty() || id.is_empty() {
            let text = "user and rate-limit id is required for removing rate limit regulation";
            return Err(AuthError::Invalid(text.into()));
        }
        match self.store().remove_limit(name, id).await? {
            Changed::Done => self.record(actor, Change::of("limit.remove", name).before(&id)).await,
            // As sophon-auth: an id that is not there is an error only among others.
            _ if self.store().limits(name, None).await?.is_empty() => Ok(()),
            _ => Err(AuthError::key_not_found()),
        }
    }

    /// The limits of a user, or the one of `id`.
    ///
    /// # Errors
    /// [`AuthError::Denied`].
    pub async fn limits(
        &self,
        actor: &Actor,
        name: &str,
        id: Option<&str>,
    ) -> Result<Vec<LimitRow>, AuthError> {
        actor.admin()?;
        Ok(self.store().limits(name, id).await?)
    }
}
