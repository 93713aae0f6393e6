//! Values of the Kubernetes libraries.

use super::functions::{Address, NamedFormat, Network, Quantity, Url, Version};

/// A value that CEL's own types do not know.
#[derive(Clone, Debug)]
pub enum Extension {
    Quantity(Quantity),
    Address(Address),
    Network(Network),
    Url(Url),
    Version(Version),
    Format(NamedFormat),
}

impl Extension {
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Quantity(_) => "kubernetes.Quantity",
            Self::Address(_) => "net.IP",
            Self::Network(_) => "net.CIDR",
            Self::Url(_) => "kubernetes.URL",
            Self::Version(_) => "kubernetes.Semver",
            Self::Format(_) => "kubernetes.NamedFormat",
        }
    }

    pub fn equal(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Quantity(a), Self::Quantity(b)) => a.order(b).is_eq(),
            (Self::Address(a), Self::Address(b)) => a == b,
            (Self::Network(a), Self::Network(b)) => a == b,
            (Self::Url(a), Self::Url(b)) => a == b,
            (Self::Version(a), Self::Version(b)) => a == b,
            (Self::Format(a), Self::Format(b)) => a.name() == b.name(),
            _ => false,
        }
    }
}
