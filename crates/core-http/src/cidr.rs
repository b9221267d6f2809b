use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};

use crate::Error;

/// A network of addresses: `10.0.0.0/8`, `fd00::/8`, or one address alone.
///
/// An IPv4 address that is written as IPv6 (`::ffff:10.0.0.7`) is the same address.
///
/// ```
/// # use core_http::Cidr;
/// let network: Cidr = "10.0.0.0/8".parse()?;
/// assert!(network.contains("10.1.2.3".parse().unwrap()));
/// assert!(network.contains("::ffff:10.1.2.3".parse().unwrap()));
/// assert_eq!("10.0.0.7".parse::<Cidr>()?.to_string(), "10.0.0.7/32");
/// # Ok::<(), core_http::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cidr(IpNet);

impl Cidr {
    /// Whether an address belongs to the network.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// Whether every address of its family belongs to it.
    pub(crate) fn is_everybody(self) -> bool {
        self.0.prefix_len() == 0
    }
}

impl FromStr for Cidr {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let network = match text.parse::<IpNet>() {
            Ok(network) => network,
            Err(_) => text.parse::<IpAddr>().map_err(|_| Error::Cidr)?.into(),
        };
        Ok(Self(canonical(network)))
    }
}

/// Addresses are compared in their canonical form, so a mapped network must take it too.
fn canonical(network: IpNet) -> IpNet {
    let mapped = match network {
        IpNet::V6(network) => network.addr().to_ipv4_mapped().and_then(|address| {
            let prefix = network.prefix_len().checked_sub(96)?;
            Ipv4Net::new(address, prefix).ok()
        }),
        IpNet::V4(_) => None,
    };
    mapped.map_or(network, IpNet::V4).trunc()
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Cidr {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Cidr {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Cidr {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Cidr".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "examples": ["10.0.0.0/8", "fd00::/8", "10.0.0.7"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn printed_and_read_again_it_is_the_same(address: IpAddr, prefix in 0u8..=128) {
            if let Ok(network) = format!("{address}/{prefix}").parse::<Cidr>() {
                prop_assert_eq!(network.to_string().parse::<Cidr>().unwrap(), network);
                // A wider network than all mapped addresses is one of IPv6 addresses proper.
                let is_mapped = address != address.to_canonical();
                prop_assert!(network.contains(address) || (is_mapped && prefix < 96));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ = text.parse::<Cidr>();
        }
    }

    #[test]
    fn networks_are_read_as_people_write_them() {
        let read = |text: &str| text.parse::<Cidr>().map(|network| network.to_string()).ok();
        assert_eq!(read("10.1.2.3/8").as_deref(), Some("10.0.0.0/8"));
        assert_eq!(read("::1").as_deref(), Some("::1/128"));
        assert_eq!(read("::ffff:10.0.0.0/104").as_deref(), Some("10.0.0.0/8"));
        for bad in ["", "10.0.0.0/33", "10.0.0", "10.0.0.0/", "example.com", "10.0.0.0/8 "] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }
}
