//! Policies as they were read: statements, each part a list.

use yagura_formats::document::Node;

use super::condition::Condition;
use super::pattern::{self, matches_arn};
use super::{Request, Truth};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Allow,
    Deny,
}

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Principal {
    /// `arn:aws:iam::ACCOUNT:role/NAME` or of a user; parts that are not known are `?`.
    pub arn: String,
    /// Twelve digits; empty where it is not known.
    pub account: String,
    /// `ec2.amazonaws.com`; empty for others.
    pub service: String,
    /// ARN or name of an identity provider that vouches for a web identity; empty for others.
    pub federation: String,
}

/// Which principals a statement names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// `AWS`, `Service`, `Federated`, `CanonicalUser` or `*`.
    pub kind: String,
    pub id: Text,
}

/// A text, or what is known of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// With references in `${…}` where it is not known as a whole; empty where nothing is known.
    pub text: String,
    pub is_unknown: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    pub effect: Effect,
    pub actions: Vec<Text>,
    pub not_actions: Vec<Text>,
    pub resources: Vec<Text>,
    pub not_resources: Vec<Text>,
    pub principals: Vec<Named>,
    pub not_principals: Vec<Named>,
    pub conditions: Vec<Condition>,
    /// A part of it could not be read at all.
    pub has_unknown: bool,
    /// Where it was read.
    pub place: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    pub statements: Vec<Statement>,
    /// Statements that are not known: they may allow or deny anything.
    pub is_unknown: bool,
}

impl Text {
    pub fn known(text: &str) -> Self {
        Self { text: text.to_owned(), is_unknown: false }
    }

    fn read(node: &Node<'_>, resolve: &dyn Fn(&str) -> String) -> Self {
        match node.scalar() {
            Some(text) => Self::known(&resolve(text)),
            None => {
                let text = resolve(node.tag.as_deref().unwrap_or_default());
                let is_unknown = text.is_empty() || text.contains("${");
                Self { text, is_unknown }
            }
        }
    }
}

impl Policy {
    /// Reads `{statements: […]}` as `yagura_configuration` states policies. `resolve` replaces references to other
    /// resources by their ARNs; `place` shows where a node stands.
    pub fn read(
        node: &Node<'_>,
        resolve: &dyn Fn(&str) -> String,
        place: &dyn Fn(&Node<'_>) -> String,
    ) -> Self {
        let Some(list) = node.get("statements") else {
            return Self { is_unknown: node.is_unknown(), ..Self::default() };
        };
        let mut policy = Self { statements: Vec::new(), is_unknown: list.is_unknown() };
        for statement in list.items() {
            if statement.is_unknown() {
                policy.is_unknown = true;
                continue;
            }
            let mut has_unknown = false;
            let mut texts = |key: &str| -> Vec<Text> {
                let Some(list) = statement.get(key) else { return Vec::new() };
                has_unknown |= list.is_unknown();
                list.items().iter().map(|one| Text::read(one, resolve)).collect()
            };
            let actions = texts("actions");
            let not_actions = texts("notActions");
            let resources = texts("resources");
            let not_resources = texts("notResources");
            let mut named = |key: &str| -> Vec<Named> {
                let Some(list) = statement.get(key) else { return Vec::new() };
                has_unknown |= list.is_unknown();
                let one = |one: &Node<'_>| Named {
                    kind: one.text_of("type").unwrap_or("AWS").to_owned(),
                    id: one
                        .get("id")
                        .map_or(Text { text: String::new(), is_unknown: true }, |id| Text::read(id, resolve)),
                };
                list.items().iter().map(one).collect()
            };
            let (principals, not_principals) = (named("principals"), named("notPrincipals"));
            let conditions = statement.get("conditions");
            has_unknown |= conditions.is_some_and(Node::is_unknown);
            let conditions = conditions.map(Node::items).unwrap_or_default();
            has_unknown |= conditions.iter().any(Node::is_unknown);
            policy.statements.push(Statement {
                // What is no `Allow` grants nothing.
                effect: if statement.text_of("effect") == Some("Allow") {
                    Effect::Allow
                } else {
                    Effect::Deny
                },
                actions,
                not_actions,
                resources,
                not_resources,
                principals,
                not_principals,
                conditions: conditions.iter().filter_map(|one| Condition::read(one, resolve)).collect(),
                has_unknown,
                place: place(statement),
            });
        }
        policy
    }
}

impl Statement {
    /// Whether it speaks of a request. `of_resource` says that it stands in a policy of the resource, which names
    /// principals; `unknown` gathers what the answer hangs on.
    pub fn applies(&self, request: &Request<'_>, of_resource: bool, unknown: &mut Vec<String>) -> Truth {
        let mut all = self.means_action(request).and(self.means_resource(request));
        if of_resource {
            all = all.and(self.means_principal(request));
        }
        if all == Truth::No {
            return all;
        }
        if self.has_unknown || all == Truth::Unknown {
            unknown.push("texts that were not read".to_owned());
            all = Truth::Unknown;
        }
        for condition in &self.conditions {
            let holds = condition.holds(request.context);
            if holds == Truth::Unknown {
                unknown.push(condition.to_string());
            }
            all = all.and(holds);
        }
        all
    }

    fn means_action(&self, request: &Request<'_>) -> Truth {
        let any = |patterns: &[Text]| {
            patterns.iter().fold(Truth::No, |any, pattern| any.or(action(pattern, request)))
        };
        if self.not_actions.is_empty() { any(&self.actions) } else { any(&self.not_actions).negated() }
    }

    fn means_resource(&self, request: &Request<'_>) -> Truth {
        let any = |patterns: &[Text]| {
            patterns.iter().fold(Truth::No, |any, pattern| any.or(resource(pattern, request)))
        };
        match (self.resources.as_slice(), self.not_resources.as_slice()) {
            // Trust policies name none: they speak of their role.
            ([], []) => Truth::Yes,
            (resources, []) => any(resources),
            (_, excepted) => any(excepted).negated(),
        }
    }

    fn means_principal(&self, request: &Request<'_>) -> Truth {
        let any =
            |named: &[Named]| named.iter().fold(Truth::No, |any, one| any.or(one.means(request.principal)));
        if self.not_principals.is_empty() {
            any(&self.principals)
        } else {
            any(&self.not_principals).negated()
        }
    }
}

fn action(pattern: &Text, request: &Request<'_>) -> Truth {
    if pattern.text.is_empty() {
        return Truth::Unknown;
    }
    // Variables are not allowed in actions, references of a configuration are.
    pattern::matches(&pattern.text, request.action, request.context, true)
}

fn resource(pattern: &Text, request: &Request<'_>) -> Truth {
    if pattern.text == "*" {
        return Truth::Yes;
    }
    if pattern.text.is_empty() || (pattern.is_unknown && pattern::is_reference(&pattern.text)) {
        return Truth::Unknown;
    }
    if request.resource == "*" {
        // What has no resource is granted on all of them alone.
        return Truth::No;
    }
    if !pattern.text.starts_with("arn:") || !request.resource.starts_with("arn:") {
        return pattern::matches(&pattern.text, request.resource, request.context, false);
    }
    matches_arn(&pattern.text, request.resource, request.context)
}

impl Named {
    /// Whether it is the one who asks, their account, or everybody.
    fn means(&self, principal: &Principal) -> Truth {
        let id = self.id.text.as_str();
        if self.kind == "*" || (id == "*" && self.kind == "AWS") {
            return Truth::Yes;
        }
        match self.kind.as_str() {
            "Service" => Truth::of(!principal.service.is_empty() && (id == principal.service || id == "*")),
            "Federated" if principal.federation.is_empty() => Truth::No,
            "Federated" => self.federated(&principal.federation),
            "AWS" if !principal.service.is_empty() || !principal.federation.is_empty() => Truth::No,
            "AWS" => self.of_account(principal),
            _ => Truth::No,
        }
    }

    fn federated(&self, provider: &str) -> Truth {
        let host = |text: &str| text.split_once("oidc-provider/").map_or(text, |(_, host)| host).to_owned();
        match (self.id.is_unknown, provider) {
            (true, _) | (_, "?") => Truth::Unknown,
            _ => Truth::of(host(&self.id.text) == host(provider)),
        }
    }

    fn of_account(&self, principal: &Principal) -> Truth {
        let id = self.id.text.as_str();
        let parts: Vec<&str> = id.split(':').collect();
        let account = match parts.as_slice() {
            [digits] => *digits,
            [_, _, "iam", _, account, "root"] => *account,
            _ => {
                if id.is_empty() || pattern::is_reference(id) {
                    return Truth::Unknown;
                }
                let context = super::Context::default();
                return matches_arn(id, &principal.arn, &context);
            }
        };
        if id.is_empty() || account.contains("${") || principal.account.is_empty() {
            return if id.is_empty() { Truth::Unknown } else { Truth::Yes };
        }
        Truth::of(account == principal.account)
    }

    /// Whether it names just one principal, not an account or everybody.
    pub fn is_exact(&self) -> bool {
        self.id.text.contains(":role/")
            || self.id.text.contains(":user/")
            || self.id.text.contains(":assumed-role/")
    }
}
