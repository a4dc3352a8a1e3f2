//! What a key derivation may cost.

use super::CipherError;

/// Most memory of one derivation, bytes: four times that of the default.
pub(crate) const MAX_MEMORY: u64 = 1 << 30;
/// Most work of one derivation, blocks mixed: sixteen times that of the default, which takes about a second.
const MAX_WORK: u64 = 16 * (1 << 18) * R as u64;
/// Most iterations of PBKDF2, some seconds.
const MAX_ROUNDS: u64 = 1 << 24;
/// The block size that is written. Go has no setting for it either.
const R: u32 = 8;
/// Bounds that keep the products below far from overflow.
const MAX_R: u64 = 64;
const MAX_P: u64 = 64;

/// The cost of a password guess: scrypt's `N` and `p`, with `r` = 8.
///
/// The default is that of venus-wallet, `N` = 2^18 and `p` = 1: 256 MiB and about a second for each key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScryptParams {
    n: u64,
    r: u32,
    p: u32,
}

impl ScryptParams {
    /// Checks and takes the parameters; `[Factor]` of a configuration file.
    ///
    /// # Errors
    /// The text says which bound is broken: `n` is a power of two of at least 2, `p` is from 1 to 64, and together
    /// they ask for no more than 1 GiB and sixteen times the work of the default.
    pub fn new(n: u64, p: u32) -> Result<Self, crate::WalletError> {
        Self::bounded(n, R.into(), p.into()).map_err(|e| crate::WalletError::Scrypt(e.to_string()))
    }

    /// For keys whose password lies beside them.
    pub(crate) fn weakest() -> Self {
        Self { n: 2, r: R, p: 1 }
    }

    /// The cost parameter `N`.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// The parallelism `p`.
    pub fn p(&self) -> u32 {
        self.p
    }

    pub(super) fn r(&self) -> u32 {
        self.r
    }

    pub(super) fn bounded(n: u64, r: u64, p: u64) -> Result<Self, CipherError> {
        let wrong = |reason| Err(CipherError::Malformed(reason));
        if !n.is_power_of_two() || n < 2 {
            return wrong("scrypt: n is no power of two above 1");
        }
        if !(1..=MAX_R).contains(&r) || !(1..=MAX_P).contains(&p) {
            return wrong("scrypt: r or p is not from 1 to 64");
        }
        // Nothing here overflows: r and p are small, and saturation only makes n look larger.
        if n.saturating_mul(128 * r) > MAX_MEMORY {
            return wrong("scrypt asks for more than 1 GiB of memory");
        }
        if n.saturating_mul(r * p) > MAX_WORK {
            return wrong("scrypt asks for more than sixteen times the usual work");
        }
        let small =
            |x: u64| u32::try_from(x).map_err(|_| CipherError::Malformed("scrypt: r or p is too large"));
        let params = Self { n, r: small(r)?, p: small(p)? };
        params.checked()?;
        Ok(params)
    }

    pub(super) fn checked(&self) -> Result<scrypt::Params, CipherError> {
        let log_n = u8::try_from(self.n.trailing_zeros()).unwrap_or(u8::MAX);
        scrypt::Params::new(log_n, self.r, self.p, super::DERIVED)
            .map_err(|_| CipherError::Malformed("scrypt parameters are out of range"))
    }

    fn memory(&self) -> u64 {
        let per_lane = u64::from(self.p) * 128 * u64::from(self.r);
        self.n.saturating_mul(128 * u64::from(self.r)).saturating_add(per_lane)
    }
}

impl Default for ScryptParams {
    fn default() -> Self {
        Self { n: 1 << 18, r: R, p: 1 }
    }
}

/// How a password becomes a key. Within bounds, whoever wrote it: a stored key must not be able to stop a wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kdf {
    Scrypt(ScryptParams),
    /// With HMAC-SHA-256. Read, never written.
    Pbkdf2 {
        rounds: u32,
    },
}

impl Kdf {
    /// Memory of one derivation, bytes; never above [`MAX_MEMORY`] by more than a page or two.
    pub(crate) fn memory(&self) -> u64 {
        match self {
            Self::Scrypt(params) => params.memory(),
            Self::Pbkdf2 { .. } => 0,
        }
    }

    pub(super) fn pbkdf2(rounds: u64, prf: &str) -> Result<Self, CipherError> {
        if prf != "hmac-sha256" {
            return Err(CipherError::Malformed("pbkdf2: prf is not hmac-sha256"));
        }
        match u32::try_from(rounds) {
            Ok(rounds) if (1..=MAX_ROUNDS).contains(&u64::from(rounds)) => Ok(Self::Pbkdf2 { rounds }),
            _ => Err(CipherError::Malformed("pbkdf2: c is not from 1 to 2^24")),
        }
    }
}
