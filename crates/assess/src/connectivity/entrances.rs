//! What comes in through Ingresses, Routes and Gateways: which pods, on which ports.

use std::collections::HashMap;

use super::{Connections, Connectivity, EndIndex, Ports, Side};
use crate::kubernetes::entrance::{Backend, Entrance, Gateway};
use crate::kubernetes::service::Service;
use crate::kubernetes::{Place, Protocol};

/// A way through one entrance to pods.
#[derive(Clone, Debug)]
pub struct Entry<'c> {
    pub entrance: &'c Entrance,
    /// The gateway it is attached to, for routes of the Gateway API.
    pub gateway: Option<&'c Gateway>,
    pub service: &'c Service,
    pub end: EndIndex,
    /// What the entrance would forward.
    pub wanted: Connections,
    /// What of it policies let a pod pass of which nothing is known.
    pub allowed: Connections,
}

impl Entry<'_> {
    /// The source as tables name it.
    pub fn source(&self) -> String {
        match self.gateway {
            Some(gateway) => format!("{{gateway {}/{}}}", gateway.namespace, gateway.name),
            None => "{ingress-controller}".to_owned(),
        }
    }
}

/// Something an entrance says that leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadEnd {
    pub place: Place,
    pub detail: String,
}

impl<'c> Connectivity<'c> {
    /// Every way from an entrance to pods, and what leads nowhere.
    pub fn entries(&self) -> (Vec<Entry<'c>>, Vec<DeadEnd>) {
        let mut services: HashMap<(&str, &str), &Service> = HashMap::new();
        for service in &self.cluster.services {
            services.insert((&service.namespace, &service.name), service);
        }
        let mut entries = Vec::new();
        let mut dead = Vec::new();
        let mut tell = |entrance: &Entrance, detail: String| {
            dead.push(DeadEnd { place: entrance.place, detail: format!("{}: {detail}", entrance.title()) });
        };
        for entrance in &self.cluster.entrances {
            let gateways = self.gateways_of(entrance);
            if gateways.is_empty() {
                tell(entrance, "no gateway that was read takes it".to_owned());
            }
            for backend in &entrance.backends {
                let Some(service) = services.get(&(backend.namespace.as_str(), backend.service.as_str()))
                else {
                    tell(entrance, format!("service {}/{} was not read", backend.namespace, backend.service));
                    continue;
                };
                if backend.namespace != entrance.namespace && !self.is_granted(entrance, backend) {
                    tell(
                        entrance,
                        format!("no ReferenceGrant lets it use a service of {}", backend.namespace),
                    );
                    continue;
                }
                for (end, wanted) in self.behind(service, backend, entrance) {
                    let allowed = self.between(Side::AnyPod, Side::Pods(end)).intersection(&wanted);
                    if allowed.is_none() {
                        let title = self.end(end).map(|end| end.title.as_str()).unwrap_or_default();
                        tell(
                            entrance,
                            format!(
                                "policies keep out from {title} what an unknown pod sends; it gets there only where a \
                             policy lets the controller's own pods in"
                            ),
                        );
                    }
                    for gateway in &gateways {
                        entries.push(Entry {
                            entrance,
                            gateway: *gateway,
                            service,
                            end,
                            wanted: wanted.clone(),
                            allowed: allowed.clone(),
                        });
                    }
                }
            }
        }
        dead.dedup();
        (entries, dead)
    }

    /// The gateways that take a route; one `None` for what needs none.
    fn gateways_of(&self, entrance: &Entrance) -> Vec<Option<&'c Gateway>> {
        if !entrance.kind.ends_with("Route") || entrance.kind == "Route" {
            return vec![None];
        }
        let labels = self.cluster.namespace_labels(&entrance.namespace);
        let taken = |gateway: &&Gateway| {
            entrance.parents.iter().any(|parent| {
                parent.namespace == gateway.namespace
                    && parent.name == gateway.name
                    && gateway.takes(parent, &entrance.namespace, &labels)
            })
        };
        self.cluster.gateways.iter().filter(taken).map(Some).collect()
    }

    fn is_granted(&self, entrance: &Entrance, backend: &Backend) -> bool {
        self.cluster.grants.iter().any(|grant| grant.allows(entrance, backend))
    }

    /// The pods behind a backend and what it forwards to them.
    fn behind(
        &self,
        service: &Service,
        backend: &Backend,
        entrance: &Entrance,
    ) -> Vec<(EndIndex, Connections)> {
        let protocol = if entrance.kind == "UDPRoute" { Protocol::Udp } else { Protocol::Tcp };
        let mut behind = Vec::new();
        for end in self.ends_behind(service) {
            let Some(workload) = self.end(end).map(|end| end.workload) else { continue };
            let mut wanted = Connections::none();
            let ports = service.ports_meant(backend.port.as_ref()).filter(|port| port.protocol == protocol);
            for port in ports.flat_map(|port| port.targets(workload)) {
                wanted = wanted.union(&Connections::of(protocol, Ports::range(port, port)));
            }
            if !wanted.is_none() {
                behind.push((end, wanted));
            }
        }
        behind
    }

    /// The pods a service leads to: those it selects, or those that its endpoints name.
    pub fn ends_behind(&self, service: &Service) -> Vec<EndIndex> {
        let in_namespace = {
            let start = self.ends.partition_point(|end| end.workload.namespace < service.namespace);
            let rest = self.ends.iter().enumerate().skip(start);
            rest.take_while(|(_, end)| end.workload.namespace == service.namespace)
        };
        if let Some(selector) = &service.selector {
            let selected = in_namespace.filter(|(_, end)| selector.matches(end.labels));
            return selected.map(|(index, _)| EndIndex(index)).collect();
        }
        let endpoints: Vec<_> = self
            .cluster
            .endpoints
            .iter()
            .filter(|endpoints| endpoints.namespace == service.namespace && endpoints.service == service.name)
            .collect();
        if endpoints.is_empty() {
            return Vec::new();
        }
        let named = |(_, end): &(usize, &super::End<'_>)| {
            end.workload.pods.iter().any(|pod| {
                endpoints.iter().any(|endpoints| {
                    endpoints.pods.contains(&pod.name)
                        || (!pod.address.is_empty() && endpoints.addresses.contains(&pod.address))
                })
            })
        };
        in_namespace.filter(named).map(|(index, _)| EndIndex(index)).collect()
    }
}
