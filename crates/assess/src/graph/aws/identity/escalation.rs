//! Permissions that become others, by `rules/access/aws-escalation.yaml`.

use yagura_formats::document::{Node, yaml};
use yagura_model::graph::{Builder, EdgeKind, NodeId, NodeKind};

use super::super::{Resources, label, node};
use super::identities::{Identities, Identity};
use super::trust::trusted;
use super::{fact, place};
use crate::iam::{Context, Principal, Truth, Verdict};

/// What a way gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    Account,
    Identity,
    PassedRole,
    Function,
    Instance,
    Task,
}

/// What an action is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Account,
    OneSelf,
    OwnPolicy,
    Role,
    User,
    Function,
    Instance,
    Task,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Need {
    pub action: String,
    pub on: Subject,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Escalation {
    pub id: String,
    pub title: String,
    pub technique: String,
    pub needs: Vec<Need>,
    /// The service a role is passed to; empty for other ways.
    pub service: String,
    pub gives: Gives,
}

/// The ways that the program carries. A line that cannot be read is an error in words.
pub fn escalations() -> Result<Vec<Escalation>, String> {
    let mut all = Vec::new();
    for file in yagura_rules::family("access").iter().filter(|file| file.path == "aws-escalation.yaml") {
        let tree = yaml::parse(file.text);
        let root = tree.root().ok_or("no document")?;
        for one in root.get("escalations").map(Node::items).unwrap_or_default() {
            all.push(
                Escalation::read(one).map_err(|error| format!("{}:{}: {error}", file.path, one.span.line))?,
            );
        }
    }
    Ok(all)
}

impl Escalation {
    fn read(node: &Node<'_>) -> Result<Self, String> {
        let text = |key: &str| node.text_of(key).map(str::to_owned).ok_or(format!("no `{key}`"));
        let gives = match text("gives")?.as_str() {
            "account" => Gives::Account,
            "identity" => Gives::Identity,
            "passed-role" => Gives::PassedRole,
            "function" => Gives::Function,
            "instance" => Gives::Instance,
            "task" => Gives::Task,
            other => return Err(format!("`{other}` is nothing a way gives")),
        };
        let need = |need: &Node<'_>| -> Result<Need, String> {
            let on = match need.text_of("on").unwrap_or("account") {
                "account" => Subject::Account,
                "self" => Subject::OneSelf,
                "own-policy" => Subject::OwnPolicy,
                "role" => Subject::Role,
                "user" => Subject::User,
                "function" => Subject::Function,
                "instance" => Subject::Instance,
                "task" => Subject::Task,
                other => return Err(format!("`{other}` is nothing an action is done to")),
            };
            Ok(Need { action: need.text_of("action").ok_or("no `action`")?.to_owned(), on })
        };
        let needs = node.get("needs").map(Node::items).unwrap_or_default();
        Ok(Self {
            id: text("id")?,
            title: text("title")?,
            technique: text("technique")?,
            needs: needs.iter().map(need).collect::<Result<_, _>>()?,
            service: node.text_of("service").unwrap_or_default().to_owned(),
            gives,
        })
    }
}

pub(super) fn edges(
    aws: &Resources<'_>,
    identities: &Identities<'_>,
    account: NodeId,
    builder: &mut Builder,
    notices: &mut Vec<String>,
) {
    let ways = escalations().unwrap_or_else(|error| {
        notices.push(format!("escalations of AWS were not read: {error}"));
        Vec::new()
    });
    for who in &identities.all {
        let Some(from) = who.node else { continue };
        let name = label(who.resource);
        // Everything on everything, as no way of escalation needs to spell out.
        let all = identities.may(who, "nothing:AtAll", "*", None);
        let all = Verdict {
            allowed: all.allowed.and(identities.may(who, "iam:PutRolePolicy", "*", None).allowed),
            ..all
        };
        if let Some(fact) = fact(&all, format!("{name} may do everything")) {
            builder.edge(from, EdgeKind::Administers, account, &fact, place(&all));
        }
        for way in &ways {
            let mut walk = Walk { aws, identities, who, from, account, builder };
            walk.go(way);
        }
    }
}

struct Walk<'w, 'a> {
    aws: &'w Resources<'a>,
    identities: &'w Identities<'a>,
    who: &'w Identity<'a>,
    from: NodeId,
    account: NodeId,
    builder: &'w mut Builder,
}

impl Walk<'_, '_> {
    fn go(&mut self, way: &Escalation) {
        let is_user = self.who.resource.kind == "aws/iam-user";
        match way.gives {
            // Roles have no user's policies, users no role's.
            Gives::Account
                if way
                    .needs
                    .iter()
                    .any(|need| need.on == Subject::OneSelf && need.action.contains("User") != is_user) => {}
            Gives::Account => {
                let own = self.who.principal.arn.clone();
                let to = self.account;
                self.edge(way, &own, EdgeKind::Administers, to, "");
            }
            Gives::Identity | Gives::PassedRole => {
                let identities = self.identities;
                for other in identities.all.iter().filter(|other| !std::ptr::eq(*other, self.who)) {
                    let wanted = match way.needs.first().map(|need| need.on) {
                        Some(Subject::User) => "aws/iam-user",
                        _ => "aws/iam-role",
                    };
                    let Some(to) = other.node.filter(|_| other.resource.kind == wanted) else { continue };
                    if way.gives == Gives::PassedRole && !trusts_service(other, &way.service) {
                        continue;
                    }
                    self.edge(
                        way,
                        &other.principal.arn.clone(),
                        EdgeKind::Becomes,
                        to,
                        label(other.resource),
                    );
                }
            }
            Gives::Function => self.each(way, "aws/lambda-function", NodeKind::Function),
            Gives::Instance => self.each(way, "aws/instance", NodeKind::Instance),
            Gives::Task => self.each(way, "aws/ecs-service", NodeKind::Workload),
        }
    }

    fn each(&mut self, way: &Escalation, kind: &'static str, of: NodeKind) {
        let aws = self.aws;
        for resource in aws.of(kind) {
            let Some(arn) = aws.arn(resource) else { continue };
            let to = node(self.builder, of, resource);
            self.edge(way, &arn, EdgeKind::Enters, to, label(resource));
        }
    }

    /// States that a way leads to something, where all its needs are met.
    fn edge(&mut self, way: &Escalation, thing: &str, kind: EdgeKind, to: NodeId, name: &str) {
        let mut worst: Option<Verdict> = None;
        for need in &way.needs {
            let verdict = self.need(need, thing);
            if verdict.allowed == Truth::No {
                return;
            }
            if worst.as_ref().is_none_or(|known| verdict.allowed < known.allowed) {
                worst = Some(verdict);
            }
        }
        let Some(verdict) = worst else { return };
        let actions: Vec<&str> = way.needs.iter().map(|need| need.action.as_str()).collect();
        let target = if name.is_empty() { String::new() } else { format!(" {name}") };
        let words = format!(
            "{} {} ({}){}",
            label(self.who.resource),
            way.title,
            actions.join(", "),
            match target.as_str() {
                "" => String::new(),
                name => format!(":{name}"),
            }
        );
        if let Some(fact) = fact(&verdict, words) {
            self.builder.edge(self.from, kind, to, &fact, place(&verdict));
        }
    }

    fn need(&self, need: &Need, thing: &str) -> Verdict {
        let ask = |resource: &str| self.identities.may(self.who, &need.action, resource, None);
        match need.on {
            // Granted on all of them, or on some: whoever may make one thing may make it as they like.
            Subject::Account => {
                let mut tried = vec!["*".to_owned()];
                let service = need.action.split(':').next().unwrap_or_default();
                tried.extend(
                    Identities::named_by(self.who, &format!("arn:aws:{service}:"))
                        .map(|text| text.replace('*', "x")),
                );
                self.surest(tried.iter().map(|resource| ask(resource)))
            }
            Subject::OwnPolicy => {
                let own = self.own_policies();
                self.surest(own.iter().map(|resource| ask(resource)))
            }
            _ => ask(thing),
        }
    }

    fn surest(&self, verdicts: impl Iterator<Item = Verdict>) -> Verdict {
        let none = Verdict { allowed: Truth::No, by: Vec::new(), denied: None, hangs_on: Vec::new() };
        verdicts.fold(none, |best, one| if one.allowed > best.allowed { one } else { best })
    }

    /// ARNs of the policies that are attached to the one who asks: rewriting another's gives them nothing.
    fn own_policies(&self) -> Vec<String> {
        let links = self.who.resource.node.get("managedPolicies").map(Node::items).unwrap_or_default();
        let texts = links.iter().filter_map(Node::scalar);
        texts.filter_map(|link| self.aws.linked(link)).filter_map(|policy| self.aws.arn(policy)).collect()
    }
}

/// Whether a service may take a role for whoever passes it.
fn trusts_service(role: &Identity<'_>, service: &str) -> bool {
    let who = Principal { service: service.to_owned(), ..Principal::default() };
    trusted(&role.trust, "sts:AssumeRole", &who, &Context::default()).allowed != Truth::No
}
