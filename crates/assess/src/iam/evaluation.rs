//! Policies of every kind, together.

use super::policy::{Effect, Policy};
use super::{Request, Truth};

/// The policies that decide about one request. What is absent does not limit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Layers<'p> {
    pub identity: &'p [Policy],
    /// The resource's own policy, a role's trust included.
    pub resource: Option<&'p Policy>,
    pub boundary: Option<&'p Policy>,
    /// What was given when the session began.
    pub session: Option<&'p Policy>,
    /// Service control policies, those of one level of the organisation together.
    pub service_control: &'p [Vec<Policy>],
    /// Resource control policies, likewise.
    pub resource_control: &'p [Vec<Policy>],
    /// Whether principal and resource are of different accounts: then both sides must allow.
    pub is_across_accounts: bool,
    /// Whether nothing is allowed that the resource's policy does not allow: keys, roles.
    pub needs_resource: bool,
}

/// What comes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub allowed: Truth,
    /// Places of the statements that allow.
    pub by: Vec<String>,
    /// Place of the statement that denies.
    pub denied: Option<String>,
    /// What an unknown verdict hangs on.
    pub hangs_on: Vec<String>,
}

/// What one set of policies says.
#[derive(Default)]
struct Side {
    allowed: Option<(Truth, String)>,
    unknown: Vec<String>,
    is_exact: bool,
}

impl Side {
    fn truth(&self) -> Truth {
        self.allowed.as_ref().map_or(Truth::No, |(truth, _)| *truth)
    }
}

/// Whether a request is allowed: no statement of any policy denies it, the identity's policies or the resource's allow it
/// (both, across accounts), and every limit allows it, too.
pub fn evaluate(layers: &Layers<'_>, request: &Request<'_>) -> Verdict {
    let mut verdict = Verdict { allowed: Truth::No, by: Vec::new(), denied: None, hangs_on: Vec::new() };
    let of_identity = layers.identity.iter().chain(layers.boundary).chain(layers.session);
    let of_identity =
        of_identity.chain(layers.service_control.iter().flatten()).map(|policy| (policy, false));
    // Resource control policies name everybody.
    let of_resource = layers.resource.into_iter().chain(layers.resource_control.iter().flatten());
    let mut denied = Truth::No;
    for (policy, by_principal) in of_identity.chain(of_resource.map(|policy| (policy, true))) {
        for statement in policy.statements.iter().filter(|one| one.effect == Effect::Deny) {
            let mut unknown = Vec::new();
            let applies = statement.applies(request, by_principal, &mut unknown);
            if applies == Truth::Yes {
                verdict.denied = Some(statement.place.clone());
                return verdict;
            }
            if applies == Truth::Unknown {
                verdict.hangs_on.extend(unknown.into_iter().map(|what| format!("not {what}")));
            }
            denied = denied.or(applies);
        }
    }
    let identity = side(layers.identity, request, false);
    let resource = side(layers.resource.map(std::slice::from_ref).unwrap_or_default(), request, true);
    let mut limits = Truth::Yes;
    let mut limit = |policies: &[Policy], hangs_on: &mut Vec<String>| {
        let allowed = side(policies, request, false);
        if allowed.truth() == Truth::Unknown {
            hangs_on.extend(allowed.unknown.iter().cloned());
        }
        limits = limits.and(allowed.truth());
    };
    for level in layers.service_control {
        limit(level, &mut verdict.hangs_on);
    }
    let of_user = request.principal.arn.contains(":user/");
    let mut bounded = identity.truth();
    for bound in layers.boundary.into_iter().chain(layers.session) {
        let allowed = side(std::slice::from_ref(bound), request, false);
        if allowed.truth() == Truth::Unknown {
            verdict.hangs_on.extend(allowed.unknown.iter().cloned());
        }
        bounded = bounded.and(allowed.truth());
    }
    // A resource that names a user lets them in whatever bounds their own policies.
    let by_resource = if of_user && resource.is_exact {
        resource.truth()
    } else {
        layers.boundary.into_iter().chain(layers.session).fold(resource.truth(), |truth, bound| {
            truth.and(side(std::slice::from_ref(bound), request, false).truth())
        })
    };
    let granted = if layers.needs_resource {
        // One named exactly needs no policy of its own within the account; an account's trust hands on to its policies.
        let alone = if resource.is_exact && !layers.is_across_accounts { by_resource } else { Truth::No };
        alone.or(by_resource.and(bounded))
    } else if layers.is_across_accounts {
        bounded.and(by_resource)
    } else {
        bounded.or(by_resource)
    };
    verdict.allowed = granted.and(limits).and(denied.negated());
    for side in [identity, resource] {
        if side.truth() == Truth::Unknown {
            verdict.hangs_on.extend(side.unknown);
        }
        verdict.by.extend(side.allowed.map(|(_, place)| place));
    }
    verdict.hangs_on.sort();
    verdict.hangs_on.dedup();
    if verdict.allowed == Truth::Yes {
        verdict.hangs_on.clear();
    }
    verdict
}

/// The surest statement that allows.
fn side(policies: &[Policy], request: &Request<'_>, of_resource: bool) -> Side {
    let mut found = Side::default();
    for policy in policies {
        for statement in policy.statements.iter().filter(|one| one.effect == Effect::Allow) {
            let mut unknown = Vec::new();
            let applies = statement.applies(request, of_resource, &mut unknown);
            if applies > found.truth() {
                found.allowed = Some((applies, statement.place.clone()));
                found.unknown.clone_from(&unknown);
                found.is_exact = statement.principals.iter().any(super::policy::Named::is_exact);
            }
        }
        if policy.is_unknown && found.truth() == Truth::No {
            found.allowed = Some((Truth::Unknown, String::new()));
            found.unknown = vec!["a policy that was not read".to_owned()];
        }
    }
    found
}
