//! The cryptography of TLS.

use rustls::crypto::{CryptoProvider, aws_lc_rs};

/// Chooses the cryptography of TLS for the process, unless it has chosen already. Where a program is built with
/// several and none is chosen, rustls panics at the first connection. Our clients call this; a server that takes TLS
/// connections has to.
pub fn choose_tls() {
    if CryptoProvider::get_default().is_none() {
        // Somebody else may have chosen meanwhile, which is as good.
        let _ = aws_lc_rs::default_provider().install_default();
    }
}
