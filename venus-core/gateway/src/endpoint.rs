//! Where a gateway is, for those who dial it.

use url::{Host, Url};
use venus_core::error::{Classify, ErrorKind};
use venus_core::rpc::client::ClientConfig;
use venus_core::rpc::{ApiInfo, ApiInfoError};

/// The API's name, as Go's clients send it: hubs that forward by this header take the call for their own.
const NAMESPACE: &str = "gateway.IGateway";
/// The version of the API that is spoken.
const VERSION: u32 = 2;

/// Why a gateway cannot be used as configured. Mend the configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// No gateway is named, so that nobody could ever be asked.
    #[error("no gateway is configured: name at least one as TOKEN:/ip4/…/tcp/45132")]
    None,
    /// Two gateways are the same.
    #[error("gateway {0} is configured twice")]
    Twice(String),
    /// The address or its token cannot be read.
    #[error("gateway number {number}: {source}")]
    Api {
        /// Which one, from 1.
        number: usize,
        /// What is wrong.
        #[source]
        source: ApiInfoError,
    },
    /// The token would travel in clear over a network.
    #[error("gateway {0}: the token would travel in clear; use wss, or allow it explicitly")]
    ClearText(String),
    /// The address names another version of the API, whose calls differ.
    #[error("gateway {0}: version 2 of the API is spoken; leave the path away, or write /rpc/v2")]
    Version(String),
}

impl Classify for EndpointError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

/// A gateway, ready to be dialled.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) url: String,
    pub(crate) client: ClientConfig,
}

impl Endpoint {
    /// Reads gateway `number` of a configuration. `clear` lets tokens travel in clear.
    pub(crate) fn read(
        api: &str,
        number: usize,
        clear: bool,
        config: ClientConfig,
    ) -> Result<Self, EndpointError> {
        let wrong = |source| EndpointError::Api { number, source };
        let api: ApiInfo = api.parse().map_err(wrong)?;
        let url = api.endpoint_url(VERSION).map_err(wrong)?;
        let mut endpoint = Self { url, client: config.with_namespace(NAMESPACE).map_err(wrong)? };
        if !endpoint.path().ends_with("/v2") {
            return Err(EndpointError::Version(endpoint.name().to_owned()));
        }
        if let Some(token) = &api.token {
            if !clear && !endpoint.is_private() {
                return Err(EndpointError::ClearText(endpoint.name().to_owned()));
            }
            endpoint.client = endpoint.client.with_token(token);
        }
        Ok(endpoint)
    }

    /// What logs and errors call it. Tokens may stand in a query.
    pub(crate) fn name(&self) -> &str {
        self.url.split('?').next().unwrap_or_default()
    }

    /// The same over a WebSocket: channels need one.
    pub(crate) fn over_websocket(mut self) -> Self {
        if let Some(rest) = self.url.strip_prefix("http") {
            self.url = format!("ws{rest}");
        }
        self
    }

    fn path(&self) -> &str {
        self.name().trim_end_matches('/')
    }

    /// Whether nobody on the way can read along: TLS, or never on a network.
    fn is_private(&self) -> bool {
        let Ok(url) = Url::parse(&self.url) else { return false };
        let here = match url.host() {
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        here || matches!(url.scheme(), "https" | "wss")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(api: &str, clear: bool) -> Result<String, EndpointError> {
        Endpoint::read(api, 1, clear, ClientConfig::default()).map(|endpoint| endpoint.url)
    }

    #[test]
    fn addresses_become_urls_of_version_2() {
        for (api, url) in [
            ("a.b.c:/ip4/127.0.0.1/tcp/45132", "ws://127.0.0.1:45132/rpc/v2"),
            ("a.b.c:/ip6/::1/tcp/45132", "ws://[::1]:45132/rpc/v2"),
            ("a.b.c:/dns/gw.example/tcp/443/wss", "wss://gw.example:443/rpc/v2"),
            ("a.b.c:https://gw.example/rpc/v2", "https://gw.example/rpc/v2"),
            ("/ip4/192.0.2.1/tcp/1", "ws://192.0.2.1:1/rpc/v2"),
        ] {
            assert_eq!(read(api, false).unwrap(), url, "{api}");
        }
        for api in ["", "nonsense", "a.b.c:/ip4/1.2.3.4/udp/1"] {
            assert!(matches!(read(api, false), Err(EndpointError::Api { number: 1, .. })), "{api}");
        }
        for api in ["ws://127.0.0.1:1/rpc/v1", "/ip4/127.0.0.1/tcp/1/version/v1"] {
            assert!(matches!(read(api, false), Err(EndpointError::Version(_))), "{api}");
        }
    }

    #[test]
    fn tokens_do_not_travel_in_clear() {
        for api in ["very.secret.token:/ip4/192.0.2.1/tcp/1", "very.secret.token:http://gw.example"] {
            let error = read(api, false).unwrap_err();
            assert!(matches!(error, EndpointError::ClearText(_)) && !error.to_string().contains("secret"));
            assert!(read(api, true).is_ok());
        }
        let endpoint =
            Endpoint::read("very.secret.token:/dns/gw/tcp/1/wss", 1, false, ClientConfig::default()).unwrap();
        assert!(!format!("{endpoint:?}").contains("secret"));
    }

    #[test]
    fn channels_get_a_websocket() {
        for (api, url) in
            [("http://localhost:1", "ws://localhost:1/rpc/v2"), ("https://gw", "wss://gw/rpc/v2")]
        {
            let endpoint = Endpoint::read(api, 1, false, ClientConfig::default()).unwrap();
            assert_eq!(endpoint.over_websocket().url, url);
        }
    }
}
