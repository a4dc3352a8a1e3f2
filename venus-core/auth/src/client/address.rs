//! Where the service is, in all forms that operators write.

use url::{Host, Url};

use super::error::ClientError;

/// A URL of a service: `http://…`, `https://…`, `ws…`, without a scheme (https), or a multiaddr.
pub(super) fn read(text: &str, clear: bool) -> Result<Url, ClientError> {
    let wrong = |why: &str| ClientError::Address(format!("{text:?}: {why}"));
    let full = match text.trim() {
        "" => return Err(wrong("is empty")),
        multiaddr if multiaddr.starts_with('/') => {
            from_multiaddr(multiaddr).ok_or_else(|| wrong("write /ip4/127.0.0.1/tcp/8989"))?
        }
        plain if !plain.contains("://") => format!("https://{plain}"),
        full => match full.split_once("://") {
            Some(("ws", rest)) => format!("http://{rest}"),
            Some(("wss", rest)) => format!("https://{rest}"),
            _ => full.to_owned(),
        },
    };
    let url = Url::parse(&full).map_err(|error| wrong(&error.to_string()))?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if clear || is_here(&url) => Ok(url),
        "http" => Err(wrong("would carry the token in clear: write https, or allow it")),
        _ => Err(wrong("write http:// or https://")),
    }
}

/// Whether it never leaves this machine.
fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn from_multiaddr(text: &str) -> Option<String> {
    let mut parts = text.strip_prefix('/')?.split('/');
    let host = match (parts.next()?, parts.next()?) {
        ("ip6", ip) => format!("[{ip}]"),
        ("ip4" | "dns" | "dns4" | "dns6", host) => host.to_owned(),
        _ => return None,
    };
    let ("tcp", port) = (parts.next()?, parts.next()?) else { return None };
    let scheme = match parts.next() {
        None | Some("" | "http" | "ws") => "http",
        Some("https" | "wss") => "https",
        Some(_) => return None,
    };
    Some(format!("{scheme}://{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (text, url) in [
            ("http://127.0.0.1:8989", "http://127.0.0.1:8989/"),
            ("ws://localhost:1", "http://localhost:1/"),
            ("wss://auth.example", "https://auth.example/"),
            ("auth.example:8989", "https://auth.example:8989/"),
            ("/ip4/127.0.0.1/tcp/8989", "http://127.0.0.1:8989/"),
            ("/ip6/::1/tcp/1/http", "http://[::1]:1/"),
            ("/dns4/auth.example/tcp/443/https", "https://auth.example/"),
        ] {
            assert_eq!(read(text, false).unwrap().as_str(), url, "{text}");
        }
        for text in
            ["", "/ip4", "/ip4/1.2.3.4/udp/1", "ftp://x", "http://192.0.2.1:8989", "/ip4/192.0.2.1/tcp/1"]
        {
            assert!(read(text, false).is_err(), "{text}");
        }
        assert!(read("http://192.0.2.1:8989", true).is_ok());
    }
}
