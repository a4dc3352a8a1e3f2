//! Addresses as operators write them: `127.0.0.1:8989`, `/ip4/127.0.0.1/tcp/45132`, URLs.

use std::net::{IpAddr, SocketAddr};

use url::{Host, Url};

/// A text that says nowhere to listen.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no address to listen on: write 127.0.0.1:8989 or /ip4/127.0.0.1/tcp/8989")]
pub struct AddressError(String);

/// An address and a port, or a multiaddr of them. Host names are resolved by nobody here.
///
/// # Errors
/// [`AddressError`].
pub fn socket_addr(text: &str) -> Result<SocketAddr, AddressError> {
    let found = if text.starts_with('/') { of_multiaddr(text) } else { text.parse().ok() };
    found.ok_or_else(|| AddressError(text.to_owned()))
}

fn of_multiaddr(text: &str) -> Option<SocketAddr> {
    let mut parts = text.strip_prefix('/')?.split('/');
    let (kind, ip) = (parts.next()?, parts.next()?.parse::<IpAddr>().ok()?);
    let (tcp, port) = (parts.next()?, parts.next()?.parse::<u16>().ok()?);
    let fits = matches!((kind, ip), ("ip4", IpAddr::V4(_)) | ("ip6", IpAddr::V6(_))) && tcp == "tcp";
    let known = parts.all(|part| matches!(part, "http" | "https" | "ws" | "wss"));
    (fits && known).then(|| SocketAddr::new(ip, port))
}

/// The multiaddr of an address; `scheme` is its last part, and may be empty.
#[must_use]
pub fn multiaddr(addr: SocketAddr, scheme: &str) -> String {
    let kind = if addr.is_ipv4() { "ip4" } else { "ip6" };
    let base = format!("/{kind}/{}/tcp/{}", addr.ip(), addr.port());
    if scheme.is_empty() { base } else { format!("{base}/{scheme}") }
}

/// Whether a token sent to this URL can be read by others on the way: no TLS, and another machine. What is no URL is
/// dialled by nobody.
#[must_use]
pub fn in_clear(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    if matches!(url.scheme(), "https" | "wss") {
        return false;
    }
    match url.host() {
        Some(Host::Ipv4(ip)) => !ip.is_loopback(),
        Some(Host::Ipv6(ip)) => !ip.to_canonical().is_loopback(),
        Some(Host::Domain(name)) => !(name == "localhost" || name.ends_with(".localhost")),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_to_listen_on() {
        let parsed = |text| socket_addr(text).unwrap().to_string();
        assert_eq!(parsed("/ip4/127.0.0.1/tcp/5678/http"), "127.0.0.1:5678");
        assert_eq!(parsed("/ip6/::1/tcp/0"), "[::1]:0");
        assert_eq!(parsed("[::1]:80"), "[::1]:80");
        for text in [
            "",
            "127.0.0.1",
            "localhost:1",
            "/ip4/::1/tcp/1",
            "/ip4/127.0.0.1/udp/1",
            "/ip4/127.0.0.1/tcp/1/x",
        ] {
            assert!(socket_addr(text).is_err(), "{text}");
        }
        let addr = socket_addr("[::1]:80").unwrap();
        assert_eq!(multiaddr(addr, "https"), "/ip6/::1/tcp/80/https");
        assert_eq!(socket_addr(&multiaddr(addr, "")).unwrap(), addr);
    }

    #[test]
    fn tokens_in_clear() {
        for url in ["http://10.0.0.1:1", "ws://auth:8989/rpc/v1", "http://[fd00::1]:1", "http://0.0.0.0:1"] {
            assert!(in_clear(url), "{url}");
        }
        for url in
            ["https://10.0.0.1", "wss://x", "http://127.0.0.9:1", "ws://[::1]:1", "http://localhost:1", "?"]
        {
            assert!(!in_clear(url), "{url}");
        }
    }
}
