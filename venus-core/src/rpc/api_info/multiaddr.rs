//! The few multiaddrs that name an API: host, TCP port, and how to speak.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::ApiInfoError;

/// What a multiaddr of an API says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Multiaddr {
    host: String,
    port: u16,
    flags: Vec<&'static str>,
    pub(super) version: Option<String>,
}

/// Protocols without a value.
const FLAGS: [&str; 5] = ["http", "https", "ws", "wss", "tls"];

impl Multiaddr {
    pub(super) fn parse(text: &str) -> Result<Self, ApiInfoError> {
        let rest = text.strip_prefix('/').ok_or_else(|| bad("does not begin with /"))?;
        let mut parts = rest.trim_end_matches('/').split('/');
        let (mut host, mut port, mut flags, mut version) = (None, None, Vec::new(), None);
        while let Some(name) = parts.next() {
            if let Some(flag) = FLAGS.into_iter().find(|flag| *flag == name) {
                flags.push(flag);
                continue;
            }
            let value = parts.next().filter(|value| !value.is_empty());
            let value = value.ok_or_else(|| bad(&format!("{name:.20}: no value")))?;
            match name {
                "ip4" | "ip6" | "dns" | "dns4" | "dns6" | "dnsaddr" if host.is_none() => {
                    host = Some(host_of(name, value)?);
                }
                "tcp" if port.is_none() => port = Some(value.parse().map_err(|_| bad("tcp: not a port"))?),
                "version" => version = Some(version_of(value)?),
                _ => return Err(bad(&format!("{name:.20}: not expected here"))),
            }
        }
        let host = host.ok_or_else(|| bad("no host"))?;
        let port = port.ok_or_else(|| bad("no tcp port"))?;
        Ok(Self { host, port, flags, version })
    }

    pub(super) fn has(&self, flag: &str) -> bool {
        self.flags.contains(&flag)
    }

    /// Venus: the strongest of what is named, WebSocket if nothing is.
    pub(super) fn venus_scheme(&self) -> &'static str {
        ["wss", "https", "ws", "http"].into_iter().find(|scheme| self.has(scheme)).unwrap_or("ws")
    }

    pub(super) fn host_port(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

fn bad(why: &str) -> ApiInfoError {
    ApiInfoError::Multiaddr(why.to_owned())
}

fn host_of(protocol: &str, value: &str) -> Result<String, ApiInfoError> {
    match protocol {
        "ip4" => value.parse::<Ipv4Addr>().map(|ip| ip.to_string()).map_err(|_| bad("ip4: not an address")),
        "ip6" => {
            value.parse::<Ipv6Addr>().map(|ip| format!("[{ip}]")).map_err(|_| bad("ip6: not an address"))
        }
        _ => {
            let plain = value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
            if plain { Ok(value.to_owned()) } else { Err(bad("dns: not a host name")) }
        }
    }
}

fn version_of(value: &str) -> Result<String, ApiInfoError> {
    let digits = value.strip_prefix('v').unwrap_or_default();
    let good = !digits.is_empty() && digits.len() < 10 && digits.bytes().all(|b| b.is_ascii_digit());
    if good { Ok(value.to_owned()) } else { Err(bad("version: not v and a number")) }
}
