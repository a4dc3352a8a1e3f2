//! Where an API is and with which token: `token:multiaddr` and its relatives.
//!
//! Go's tools accept a bare URL, a multiaddr, and either behind a token. All of them are read here; each way of
//! Go's to turn an address into the URL that is dialled has its own method.

use std::{fmt, str::FromStr};

use self::multiaddr::Multiaddr;

mod multiaddr;

/// A token that does not show itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A token. It may be opaque, but not hold control characters: it becomes a header.
    ///
    /// # Errors
    /// [`ApiInfoError::Token`].
    pub fn new(token: impl Into<String>) -> Result<Self, ApiInfoError> {
        let token = token.into();
        let printable = token.bytes().all(|b| (0x21..0x7f).contains(&b));
        if printable { Ok(Self(token)) } else { Err(ApiInfoError::Token) }
    }

    /// The token itself, to be sent and never logged.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Why text names no API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApiInfoError {
    /// There is nothing.
    #[error("api info: empty")]
    Empty,
    /// The part before the address is no token.
    #[error("api info: token: unexpected character")]
    Token,
    /// The multiaddr has no host or no port, or a part that is not understood.
    #[error("api info: multiaddr: {0}")]
    Multiaddr(String),
    /// The URL has no scheme out of http, https, ws, wss, or no host.
    #[error("api info: url: {0}")]
    Url(String),
    /// More than 64 KiB.
    #[error("api info: too long")]
    TooLong,
}

/// An address and the token for it.
///
/// `FromStr` reads `TOKEN:ADDRESS` and `ADDRESS`. The token ends at the first `:`, unless the text begins with `/`
/// or the `:` belongs to a URL's `://`; so opaque tokens work, and so do the JWTs that Venus insists on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiInfo {
    /// The token, if there is one.
    pub token: Option<Token>,
    /// A multiaddr or a URL.
    pub address: String,
}

/// Longer text is refused unread.
const MAX: usize = 64 << 10;

impl FromStr for ApiInfo {
    type Err = ApiInfoError;

    fn from_str(text: &str) -> Result<Self, ApiInfoError> {
        let text = text.trim();
        if text.len() > MAX {
            return Err(ApiInfoError::TooLong);
        }
        let info = match text.split_once(':') {
            Some((token, address)) if !text.starts_with('/') && !address.starts_with("//") => {
                let token = if token.is_empty() { None } else { Some(Token::new(token)?) };
                Self { token, address: address.trim().to_owned() }
            }
            _ => Self { token: None, address: text.to_owned() },
        };
        if info.address.is_empty() { Err(ApiInfoError::Empty) } else { Ok(info) }
    }
}

impl ApiInfo {
    /// Reads several, separated by commas, as Lotus does for its full nodes.
    ///
    /// # Errors
    /// The first [`ApiInfoError`]; empty parts are skipped.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, ApiInfoError> {
        text.split(',').filter(|part| !part.trim().is_empty()).map(str::parse).collect()
    }

    /// The URL that Venus tools dial (Go: `DialArgs`): a multiaddr without a scheme means WebSocket, and
    /// `/rpc/<version>` is appended always. A `/version/vN` in the multiaddr overrides `version`.
    ///
    /// # Errors
    /// [`ApiInfoError`] if the address is neither multiaddr nor URL.
    pub fn dial_url(&self, version: &str) -> Result<String, ApiInfoError> {
        match Multiaddr::parse(&self.address) {
            Ok(addr) => {
                let version = addr.version.as_deref().unwrap_or(version);
                Ok(format!("{}://{}/rpc/{version}", addr.venus_scheme(), addr.host_port()))
            }
            Err(error) if self.address.starts_with('/') => Err(error),
            Err(_) => {
                let base = checked_url(&self.address)?.0;
                Ok(format!("{}/rpc/{version}", base.trim_end_matches('/')))
            }
        }
    }

    /// The URL of an endpoint (Go: `Endpoint`, used by the generated Venus clients): one with a path is taken as it is.
    ///
    /// # Errors
    /// [`ApiInfoError`] if the address is neither multiaddr nor URL.
    pub fn endpoint_url(&self, version: u32) -> Result<String, ApiInfoError> {
        if self.address.starts_with('/') {
            return self.dial_url(&format!("v{version}"));
        }
        let (url, path) = checked_url(&self.address)?;
        match path {
            "" | "/" => Ok(format!("{}/rpc/v{version}", url.trim_end_matches('/'))),
            _ => Ok(url.to_owned()),
        }
    }

    /// The URL that Lotus tools dial: a multiaddr means WebSocket, with TLS for `/wss` and `/tls`; there is no HTTP.
    ///
    /// # Errors
    /// [`ApiInfoError`] if the address is neither multiaddr nor URL.
    pub fn lotus_url(&self, version: &str) -> Result<String, ApiInfoError> {
        if !self.address.starts_with('/') {
            let base = checked_url(&self.address)?.0;
            return Ok(format!("{}/rpc/{version}", base.trim_end_matches('/')));
        }
        let addr = Multiaddr::parse(&self.address)?;
        let scheme = if addr.has("wss") || addr.has("tls") { "wss" } else { "ws" };
        Ok(format!("{scheme}://{}/rpc/{version}", addr.host_port()))
    }

    /// The base URL of the auth service, which has REST and no WebSocket: http unless the address says otherwise.
    ///
    /// # Errors
    /// [`ApiInfoError`] if the address is neither multiaddr nor URL.
    pub fn rest_url(&self) -> Result<String, ApiInfoError> {
        if self.address.starts_with('/') {
            let addr = Multiaddr::parse(&self.address)?;
            let scheme = if addr.has("https") || addr.has("wss") { "https" } else { "http" };
            return Ok(format!("{scheme}://{}", addr.host_port()));
        }
        let url = checked_url(&self.address)?.0.trim_end_matches('/');
        let url = match url.split_once("://") {
            Some(("ws", rest)) => format!("http://{rest}"),
            Some(("wss", rest)) => format!("https://{rest}"),
            _ => url.to_owned(),
        };
        Ok(url)
    }
}

/// The URL and its path, once it has a scheme that we dial and a host.
fn checked_url(url: &str) -> Result<(&str, &str), ApiInfoError> {
    let bad = |why: &str| ApiInfoError::Url(why.to_owned());
    let (scheme, rest) = url.split_once("://").ok_or_else(|| bad("no scheme"))?;
    if !["http", "https", "ws", "wss"].contains(&scheme) {
        return Err(bad("scheme is not http, https, ws or wss"));
    }
    if rest.bytes().any(|b| b <= b' ' || b == 0x7f) {
        return Err(bad("white space or control character"));
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    if host.is_empty() || host.starts_with(':') {
        return Err(bad("no host"));
    }
    Ok((url, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(text: &str) -> ApiInfo {
        text.parse().unwrap()
    }

    #[test]
    fn tokens_end_where_lotus_ends_them() {
        let cases = [
            ("/ip4/1.2.3.4/tcp/3453", None, "/ip4/1.2.3.4/tcp/3453"),
            ("eyJ.eyJ.sig-_:/ip4/1.2.3.4/tcp/1", Some("eyJ.eyJ.sig-_"), "/ip4/1.2.3.4/tcp/1"),
            ("eyJ.eyJ.:http://h:1", Some("eyJ.eyJ."), "http://h:1"),
            ("opaque:ws://h:1/rpc/v1", Some("opaque"), "ws://h:1/rpc/v1"),
            ("http://h:1", None, "http://h:1"),
            ("wss://h", None, "wss://h"),
            ("tok:/dns4/gw/tcp/45132/wss", Some("tok"), "/dns4/gw/tcp/45132/wss"),
        ];
        for (text, token, address) in cases {
            let info = info(text);
            assert_eq!(info.token.as_ref().map(Token::expose), token, "{text}");
            assert_eq!(info.address, address, "{text}");
        }
        assert!(!format!("{:?}", info("secret:/ip4/1.2.3.4/tcp/1")).contains("secret"));
    }

    #[test]
    fn dial_args_table() {
        let cases = [
            ("/ip4/1.2.3.4/tcp/3453", "ws://1.2.3.4:3453/rpc/v0"),
            ("/ip4/1.2.3.4/tcp/1/http", "http://1.2.3.4:1/rpc/v0"),
            ("/ip4/1.2.3.4/tcp/1/https", "https://1.2.3.4:1/rpc/v0"),
            ("/ip4/1.2.3.4/tcp/1/ws", "ws://1.2.3.4:1/rpc/v0"),
            ("/ip4/1.2.3.4/tcp/1/wss", "wss://1.2.3.4:1/rpc/v0"),
            ("/ip4/1.2.3.4/tcp/1/http/ws", "ws://1.2.3.4:1/rpc/v0"),
            ("/ip4/1.2.3.4/tcp/1/ws/https", "https://1.2.3.4:1/rpc/v0"),
            ("/ip4/1.2.3.4/tcp/1/https/wss", "wss://1.2.3.4:1/rpc/v0"),
            ("/dns/gw/tcp/45132", "ws://gw:45132/rpc/v0"),
            ("/dns4/gw.example/tcp/1", "ws://gw.example:1/rpc/v0"),
            ("/dns6/gw/tcp/1", "ws://gw:1/rpc/v0"),
            ("/ip6/::1/tcp/1", "ws://[::1]:1/rpc/v0"),
            ("/ip4/1.2.3.4/tcp/1/version/v1", "ws://1.2.3.4:1/rpc/v1"),
            ("http://h:1", "http://h:1/rpc/v0"),
            ("ws://h:1/", "ws://h:1/rpc/v0"),
            ("http://h:1/rpc/v1", "http://h:1/rpc/v1/rpc/v0"),
        ];
        for (address, url) in cases {
            assert_eq!(info(address).dial_url("v0").as_deref(), Ok(url), "{address}");
        }
    }

    #[test]
    fn endpoint_keeps_a_path() {
        for (address, url) in [
            ("http://h:1", "http://h:1/rpc/v2"),
            ("http://h:1/", "http://h:1/rpc/v2"),
            ("http://h:1/rpc/v0", "http://h:1/rpc/v0"),
            ("ws://h:1/x/?y=1", "ws://h:1/x/?y=1"),
            ("/ip4/1.2.3.4/tcp/1", "ws://1.2.3.4:1/rpc/v2"),
        ] {
            assert_eq!(info(address).endpoint_url(2).as_deref(), Ok(url), "{address}");
        }
    }

    #[test]
    fn lotus_and_rest() {
        for (address, lotus, rest) in [
            ("/ip4/1.2.3.4/tcp/1/http", "ws://1.2.3.4:1/rpc/v1", "http://1.2.3.4:1"),
            ("/ip4/1.2.3.4/tcp/1/wss", "wss://1.2.3.4:1/rpc/v1", "https://1.2.3.4:1"),
            ("/dns/h/tcp/1/tls", "wss://h:1/rpc/v1", "http://h:1"),
            ("wss://h:1", "wss://h:1/rpc/v1", "https://h:1"),
            ("ws://h:1/", "ws://h:1/rpc/v1", "http://h:1"),
        ] {
            assert_eq!(info(address).lotus_url("v1").as_deref(), Ok(lotus), "{address}");
            assert_eq!(info(address).rest_url().as_deref(), Ok(rest), "{address}");
        }
    }

    #[test]
    fn what_is_refused_says_why() {
        for text in ["", "  ", "tok:", "a b:/ip4/1.2.3.4/tcp/1", "t\u{0}k:/ip4/1.2.3.4/tcp/1"] {
            assert!(text.parse::<ApiInfo>().is_err(), "{text:?}");
        }
        for address in [
            "/ip4/1.2.3.4",
            "/ip4/1.2.3/tcp/1",
            "/ip4/1.2.3.4/tcp/99999",
            "/ip4/1.2.3.4/tcp/1/version/1v",
            "/tcp/1",
            "/",
            "//",
            "ftp://h",
            "http://",
            "http://:1",
            "nonsense",
            "http://a b",
        ] {
            let info = ApiInfo { token: None, address: address.to_owned() };
            assert!(info.dial_url("v0").is_err(), "{address}");
        }
        assert_eq!("x".repeat(70_000).parse::<ApiInfo>(), Err(ApiInfoError::TooLong));
    }

    #[test]
    fn lists() {
        let list = ApiInfo::parse_list("a:/ip4/1.2.3.4/tcp/1, http://h:1,,").unwrap();
        assert_eq!(list.len(), 2);
        assert!(ApiInfo::parse_list("a:").is_err());
    }
}
