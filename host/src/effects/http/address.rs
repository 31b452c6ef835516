//! Which addresses an endpoint may have, and the resolver that holds it.

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use async_trait::async_trait;
use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;

/// Addresses of one name that are looked at.
const MOST_ADDRESSES: usize = 32;
/// Answers to virtual machines of Azure, although it is a public address
/// (learn.microsoft.com, "What is IP address 168.63.129.16?").
const AZURE_PLATFORM: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

/// Whether an address is one of the public network. The special ranges are
/// those of the IANA registries (RFC 6890 and its updates). An IPv6 address that
/// stands for an IPv4 address is not public, whatever it stands for.
pub(crate) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_documentation()
        || ip == AZURE_PLATFORM
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19));
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, _, _, e, f, ..] = ip.segments();
    // Only 2000::/3 is handed out; what maps, translates or is compatible with
    // IPv4 (::ffff:0:0/96, 64:ff9b::/96, ::/96) lies outside.
    (0x2000..0x4000).contains(&a)
        // IETF protocols, among them Teredo (2001::/32) and benchmarking.
        && !(a == 0x2001 && b < 0x0200)
        // Documentation.
        && !(a == 0x2001 && b == 0x0db8)
        && !(a == 0x3fff && b < 0x1000)
        // 6to4 and ISATAP (RFC 5214, 6.1) carry an IPv4 address inside.
        && a != 0x2002
        && !((e == 0 || e == 0x0200) && f == 0x5efe)
}

/// Whether an address is one at which clouds give their machines credentials
/// and settings: AWS, Azure, Google, Oracle, Alibaba, OpenStack, ECS.
pub(crate) fn is_metadata(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            ip == AZURE_PLATFORM
                || matches!(
                    ip.octets(),
                    [169, 254, 169, 254]
                        | [169, 254, 170, 2]
                        | [100, 100, 100, 200]
                        | [192, 0, 0, 192]
                )
        }
        IpAddr::V6(ip) => matches!(
            ip.segments(),
            [0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254] | [0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x0254]
        ),
    }
}

/// Which addresses an endpoint may have.
#[derive(Clone, Debug)]
pub struct AddressRule {
    /// Networks that are not public and that the operator named.
    pub private: Vec<IpNet>,
    /// Whether any public address will do.
    pub public: bool,
}

impl AddressRule {
    /// Whether a connection to this address may be made. A network of IPv4
    /// addresses does not cover their IPv6 forms, and no network covers an
    /// address of cloud metadata: that must be named by itself.
    pub fn admits(&self, ip: IpAddr) -> bool {
        let covers = |net: &IpNet| {
            net.contains(&ip) && (!is_metadata(ip) || net.prefix_len() == net.max_prefix_len())
        };
        (self.public && is_public(ip)) || self.private.iter().any(covers)
    }
}

/// Looks names up.
#[async_trait]
pub trait Names: Send + Sync {
    /// The addresses of a host name.
    ///
    /// # Errors
    /// The name is not known, or nobody can be asked.
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// Names as the operating system knows them.
pub struct SystemNames;

#[async_trait]
impl Names for SystemNames {
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let found = tokio::net::lookup_host((host, 0)).await?;
        Ok(found.map(|at| at.ip()).take(MOST_ADDRESSES).collect())
    }
}

/// A name led to an address that its endpoint may not have.
#[derive(Clone, Copy, Debug)]
pub(super) struct AddressRefused {
    /// The first such address, for the operator alone.
    pub(super) address: IpAddr,
}

impl fmt::Display for AddressRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the name leads to {}, which is not public and not named", self.address)
    }
}

impl std::error::Error for AddressRefused {}

/// Resolves a name once for each connection, and only to addresses that the
/// endpoint may have: what was checked is what is connected to, so a name that
/// changes its address in between gains nothing. If one address of a name is
/// refused all are, because such a name is not what the operator meant.
pub(super) struct CheckedNames {
    pub(super) names: Arc<dyn Names>,
    pub(super) rule: AddressRule,
    /// How many lookups may run at once.
    pub(super) lookups: Arc<Semaphore>,
}

impl Resolve for CheckedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let (names, rule) = (Arc::clone(&self.names), self.rule.clone());
        let lookups = Arc::clone(&self.lookups);
        Box::pin(async move {
            let permit = lookups.acquire_owned().await?;
            // The system's lookup occupies a thread until it ends, whether or not
            // somebody still waits for it; so the permit goes with it.
            let lookup = tokio::spawn(async move {
                let found = names.addresses(name.as_str()).await;
                drop(permit);
                found
            });
            let found = lookup.await??;
            if let Some(&address) = found.iter().find(|ip| !rule.admits(**ip)) {
                return Err(AddressRefused { address }.into());
            }
            // The connector puts the URL's port in.
            let found = found.into_iter().map(|ip| SocketAddr::new(ip, 0));
            Ok(Box::new(found) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_ranges_are_not_public() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::10.0.0.1",
            "::1.1.1.1",
            "::ffff:127.0.0.1",
            "::ffff:1.1.1.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::a00:1",
            "100::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001:0:1::1",
            "2001:2::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:a00:1::",
            "3fff::1",
            "5f00::1",
            "2606:4700::5efe:a00:1",
            "2606:4700::200:5efe:a00:1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        for text in ["1.1.1.1", "100.63.0.1", "172.32.0.1", "2606:4700::1111", "2001:4860::8888"] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    fn admits(rule: &AddressRule, text: &str) -> bool {
        rule.admits(text.parse().unwrap())
    }

    #[test]
    fn a_named_network_admits_its_own_addresses_only() {
        let nets = ["10.1.2.0/24", "fd00:1::/64"];
        let private: Vec<IpNet> = nets.iter().map(|net| net.parse().unwrap()).collect();
        for public in [true, false] {
            let rule = AddressRule { private: private.clone(), public };
            for named in ["10.1.2.0", "10.1.2.255", "fd00:1::5"] {
                assert!(admits(&rule, named), "{named}");
            }
            for other in ["10.1.3.1", "127.0.0.1", "::ffff:10.1.2.1", "::10.1.2.1", "fd00:2::1"] {
                assert!(!admits(&rule, other), "{other}");
            }
            assert_eq!(admits(&rule, "1.1.1.1"), public);
        }
    }

    #[test]
    fn addresses_of_cloud_metadata_are_named_one_by_one() {
        let rule = |nets: &[&str]| AddressRule {
            private: nets.iter().map(|net| net.parse().unwrap()).collect(),
            public: true,
        };
        let broad = ["169.254.0.0/16", "100.64.0.0/10", "192.0.0.0/24", "fd00::/8"];
        for text in [
            "169.254.169.254",
            "169.254.170.2",
            "100.100.100.200",
            "192.0.0.192",
            "168.63.129.16",
            "fd00:ec2::254",
            "fd20:ce::254",
        ] {
            let ip: IpAddr = text.parse().unwrap();
            assert!(!admits(&rule(&broad), text), "{text}");
            assert!(admits(&rule(&[&IpNet::from(ip).to_string()]), text), "{text}");
        }
        for beside in ["169.254.1.1", "100.100.100.201", "fd00:ec2::253"] {
            assert!(admits(&rule(&broad), beside), "{beside}");
        }
    }
}
