//! Miners and signers.

use serde::Serialize;
use venus_core::types::Address;

use super::http::Question;
use super::{AuthClient, ClientError, read};
use crate::model::{MinerRow, SignerRow, User};
use crate::text;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Bound<'a> {
    user: &'a str,
    miner: String,
    open_mining: bool,
}

#[derive(Serialize)]
struct OneMiner {
    miner: String,
}

#[derive(Serialize)]
struct OneSigner {
    signer: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Signers<'a> {
    user: &'a str,
    signers: Vec<String>,
}

impl AuthClient {
    /// The user who has the miner.
    ///
    /// # Errors
    /// [`ClientError::Refused`] of the kind not found if nobody has.
    pub async fn user_of_miner(&self, miner: &Address) -> Result<User, ClientError> {
        let miner = text::address(miner);
        let json = self.transport.ask(Question::get("/user/miner", &[("miner", &miner)])).await?;
        read::user(json)
    }

    /// The users who may use the signer.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn users_of_signer(&self, signer: &Address) -> Result<Vec<User>, ClientError> {
        let signer = text::address(signer);
        let json = self.transport.ask(Question::get("/user/signer", &[("signer", &signer)])).await?;
        read::all(json, read::user)
    }

    /// Whether the user has the miner.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn user_has_miner(&self, user: &str, miner: &Address) -> Result<bool, ClientError> {
        let miner = text::address(miner);
        self.transport.ask(Question::get("/user/miner/exist", &[("miner", &miner), ("user", user)])).await
    }

    /// Whether the user may use the signer.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn user_has_signer(&self, user: &str, signer: &Address) -> Result<bool, ClientError> {
        let signer = text::address(signer);
        self.transport.ask(Question::get("/user/signer/exist", &[("signer", &signer), ("user", user)])).await
    }

    /// Whether anybody has the miner.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn has_miner(&self, miner: &Address) -> Result<bool, ClientError> {
        let miner = text::address(miner);
        self.transport.ask(Question::get("/miner/has", &[("miner", &miner)])).await
    }

    /// Whether anybody may use the signer.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn has_signer(&self, signer: &Address) -> Result<bool, ClientError> {
        let signer = text::address(signer);
        self.transport.ask(Question::get("/signer/has", &[("signer", &signer)])).await
    }

    /// The miners of a user; none of one that does not exist.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn miners_of(&self, user: &str) -> Result<Vec<MinerRow>, ClientError> {
        read::all(
            self.transport.ask(Question::get("/user/miner/list", &[("user", user)])).await?,
            read::miner,
        )
    }

    /// The signers of a user; none of one that does not exist.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn signers_of(&self, user: &str) -> Result<Vec<SignerRow>, ClientError> {
        let question = Question::get("/user/signer/list", &[("user", user)]);
        read::all(self.transport.ask(question).await?, read::signer)
    }

    /// Binds a miner to a user. `true` if nobody had it ever.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn bind_miner(
        &self,
        user: &str,
        miner: &Address,
        open_mining: bool,
    ) -> Result<bool, ClientError> {
        let body = Bound { user, miner: text::address(miner), open_mining };
        self.transport.ask(Question::post("/user/miner/add", &body)).await
    }

    /// Unbinds a miner. `false` if nobody had it ever.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn unbind_miner(&self, miner: &Address) -> Result<bool, ClientError> {
        let body = OneMiner { miner: text::address(miner) };
        self.transport.ask(Question::post("/user/miner/del", &body)).await
    }

    /// Lets a user use signers, which it must have proven. Registering one again is as good as once.
    ///
    /// # Errors
    /// [`ClientError::Refused`] of the kind denied if one is another user's, who did not consent.
    pub async fn register_signers(&self, user: &str, signers: &[Address]) -> Result<(), ClientError> {
        self.transport.tell(Question::post("/user/signer/register", &list(user, signers)).harmless()).await
    }

    /// Takes signers from a user.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn unregister_signers(&self, user: &str, signers: &[Address]) -> Result<(), ClientError> {
        self.transport.tell(Question::post("/user/signer/unregister", &list(user, signers))).await
    }

    /// Takes a signer: by an administrator from everybody, else from oneself. `false` if nobody had it.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn remove_signer(&self, signer: &Address) -> Result<bool, ClientError> {
        let body = OneSigner { signer: text::address(signer) };
        self.transport.ask(Question::post("/signer/del", &body)).await
    }
}

fn list<'a>(user: &'a str, signers: &[Address]) -> Signers<'a> {
    Signers { user, signers: signers.iter().map(text::address).collect() }
}
