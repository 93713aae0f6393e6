//! Roles and users with everything that decides what they may do.

use std::collections::BTreeSet;

use yagura_configuration::Resource;
use yagura_formats::document::{Node, yaml};
use yagura_model::graph::NodeId;

use super::super::super::Sources;
use super::super::{Resources, label, texts};
use crate::iam::policy::Text;
use crate::iam::{Context, Effect, Layers, Policy, Principal, Request, Statement, Verdict, evaluate};

/// Most notices about policies that are not known.
const MAX_UNKNOWN: usize = 5;

/// One role or user.
pub struct Identity<'a> {
    pub resource: &'a Resource<'static>,
    pub principal: Principal,
    pub policies: Vec<Policy>,
    pub boundary: Option<Policy>,
    pub trust: Policy,
    pub context: Context,
    pub node: Option<NodeId>,
}

/// All of them, and what the organisation forbids.
pub struct Identities<'a> {
    pub all: Vec<Identity<'a>>,
    service_control: Vec<Vec<Policy>>,
    resource_control: Vec<Vec<Policy>>,
    pub notices: Vec<String>,
}

impl<'a> Identities<'a> {
    pub fn of(aws: &Resources<'a>, sources: &Sources<'_>) -> Self {
        let mut stated_arns = BTreeSet::new();
        for one in aws.cloud.resources.iter().filter(|one| one.kind.starts_with("aws/iam-")) {
            arns(&one.node, &mut stated_arns);
        }
        let mut reader = Reader { aws, managed: managed(), stated_arns, unknown: BTreeSet::new() };
        let all = aws.of("aws/iam-role").chain(aws.of("aws/iam-user"));
        let all: Vec<Identity<'a>> = all.map(|resource| reader.identity(resource, sources)).collect();
        let mut notices: Vec<String> = Vec::new();
        let known = reader.unknown.len();
        for policy in reader.unknown.iter().take(MAX_UNKNOWN) {
            notices
                .push(format!("what the policy {policy} allows is not known; it is taken to allow nothing"));
        }
        if known > MAX_UNKNOWN {
            notices.push(format!("{} more policies are not known", known - MAX_UNKNOWN));
        }
        let service_control = reader.organisation("SERVICE_CONTROL_POLICY");
        let resource_control = reader.organisation("RESOURCE_CONTROL_POLICY");
        if !service_control.is_empty() || !resource_control.is_empty() {
            notices
                .push("organisation policies are taken to apply to every account that was read".to_owned());
        }
        Self { all, service_control, resource_control, notices }
    }

    /// Whether one may do something to a resource with this policy of its own.
    pub fn may(
        &self,
        who: &Identity<'_>,
        action: &str,
        resource: &str,
        of_resource: Option<&Policy>,
    ) -> Verdict {
        self.decide(who, action, resource, of_resource, false)
    }

    /// The same for what only its own policy opens: keys and roles.
    pub fn may_with_consent(
        &self,
        who: &Identity<'_>,
        action: &str,
        resource: &str,
        of_resource: &Policy,
    ) -> Verdict {
        self.decide(who, action, resource, Some(of_resource), true)
    }

    fn decide(
        &self,
        who: &Identity<'_>,
        action: &str,
        resource: &str,
        of_resource: Option<&Policy>,
        needs_resource: bool,
    ) -> Verdict {
        let account = account_of(resource);
        let layers = Layers {
            identity: &who.policies,
            resource: of_resource,
            boundary: who.boundary.as_ref(),
            service_control: &self.service_control,
            resource_control: &self.resource_control,
            is_across_accounts: !account.is_empty()
                && !who.principal.account.is_empty()
                && account != who.principal.account,
            needs_resource,
            ..Layers::default()
        };
        let request = Request { action, resource, principal: &who.principal, context: &who.context };
        evaluate(&layers, &request)
    }

    /// Every text of a resource that policies of one name and that starts so.
    pub fn named_by<'s>(who: &'s Identity<'_>, start: &'s str) -> impl Iterator<Item = &'s str> {
        let statements = who.policies.iter().flat_map(|policy| &policy.statements);
        let texts = statements.filter(|one| one.effect == Effect::Allow).flat_map(|one| &one.resources);
        texts.map(|text| text.text.as_str()).filter(move |text| text.starts_with(start))
    }
}

/// The account in an ARN; empty where it is not known.
pub fn account_of(arn: &str) -> &str {
    let account = arn.split(':').nth(4).unwrap_or_default();
    if account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()) { account } else { "" }
}

/// The policies of AWS itself.
fn managed() -> Vec<(String, Vec<String>)> {
    let mut all = Vec::new();
    for file in yagura_rules::family("access").iter().filter(|file| file.path == "aws-managed.yaml") {
        let tree = yaml::parse(file.text);
        for entry in tree.root().and_then(|root| root.get("policies")).map(Node::entries).unwrap_or_default()
        {
            let actions = entry.value.items().iter().filter_map(Node::scalar).map(str::to_owned).collect();
            all.extend(entry.key.scalar().map(|name| (name.to_owned(), actions)));
        }
    }
    all
}

struct Reader<'r, 'a> {
    aws: &'r Resources<'a>,
    managed: Vec<(String, Vec<String>)>,
    /// ARNs of roles and users that policies write in full.
    stated_arns: BTreeSet<String>,
    unknown: BTreeSet<String>,
}

impl<'a> Reader<'_, 'a> {
    fn policy(&self, node: &Node<'_>) -> Policy {
        self.aws.policy(node)
    }

    fn identity(&mut self, resource: &'a Resource<'static>, sources: &Sources<'_>) -> Identity<'a> {
        let mut policies = self.policies_of(resource);
        for group in self.groups(resource) {
            policies.extend(self.policies_of(group));
        }
        let boundary = resource
            .node
            .text_of("boundary")
            .map(|link| self.linked_policy(link, &self.aws.place(&resource.node)));
        let trust = resource.node.get("trust").map(|trust| self.policy(trust)).unwrap_or_default();
        let is_user = resource.kind == "aws/iam-user";
        let mut arn = self.aws.arn(resource).unwrap_or_default();
        // Some text names it with its account.
        if let Some(full) = self.stated_arn(&arn, sources) {
            arn = full;
        }
        let principal =
            Principal { account: account_of(&arn).to_owned(), arn: arn.clone(), ..Principal::default() };
        let mut context = Context::default()
            .with("aws:PrincipalType", &[if is_user { "User" } else { "AssumedRole" }])
            .with("aws:PrincipalIsAWSService", &["false"])
            .with("aws:ViaAWSService", &["false"])
            // Whoever wants in speaks TLS.
            .with("aws:SecureTransport", &["true"]);
        if !arn.contains('?') {
            context =
                context.with("aws:PrincipalArn", &[&arn]).with("aws:PrincipalAccount", &[&principal.account]);
        }
        if !is_user {
            context = context.with("aws:MultiFactorAuthPresent", &[]).with("aws:username", &[]);
        } else {
            context = context.with("aws:username", &[label(resource)]);
        }
        Identity { resource, principal, policies, boundary, trust, context, node: None }
    }

    /// The ARN that a policy or a service account writes in full for what has this one but for its account.
    fn stated_arn(&self, arn: &str, sources: &Sources<'_>) -> Option<String> {
        let (_, end) = arn.split_once(":?:")?;
        let fits = |text: &str| {
            let account = account_of(text);
            !account.is_empty()
                && text.strip_prefix("arn:aws:iam::").and_then(|rest| rest.strip_prefix(account))
                    == Some(&format!(":{end}"))
        };
        let annotated = sources
            .cluster
            .service_accounts
            .iter()
            .flat_map(|one| &one.cloud_identities)
            .map(|(_, arn)| arn.as_str());
        annotated
            .chain(self.stated_arns.iter().map(String::as_str))
            .find(|text| fits(text))
            .map(str::to_owned)
    }

    fn groups(&self, user: &'a Resource<'static>) -> Vec<&'a Resource<'static>> {
        let links = texts(&user.node, "groups");
        let own = links.into_iter().filter_map(|link| {
            self.aws.linked(link).or_else(|| self.aws.of("aws/iam-group").find(|group| label(group) == link))
        });
        let members = self.aws.of("aws/iam-group").filter(|group| {
            texts(&group.node, "members")
                .into_iter()
                .any(|member| member == user.name || member == label(user))
        });
        let mut all: Vec<_> = own.chain(members).collect();
        all.sort_by_key(|group| &group.name);
        all.dedup_by_key(|group| &group.name);
        all
    }

    fn policies_of(&mut self, resource: &Resource<'static>) -> Vec<Policy> {
        let own = resource.node.get("policies").map(Node::items).unwrap_or_default();
        let mut all: Vec<Policy> =
            own.iter().filter_map(|own| own.get("policy")).map(|policy| self.policy(policy)).collect();
        for link in resource.node.get("managedPolicies").map(Node::items).unwrap_or_default() {
            let place = self.aws.place(link);
            match link.scalar() {
                Some(text) => {
                    let policy = self.linked_policy(text, &place);
                    if policy.is_unknown {
                        self.unknown.insert(text.to_owned());
                    } else {
                        all.push(policy);
                    }
                }
                None => {
                    self.unknown.insert(format!("attached at {place}"));
                }
            }
        }
        all
    }

    /// The policy of a resource that was read, or of AWS itself; unknown where it is neither.
    fn linked_policy(&self, link: &str, place: &str) -> Policy {
        if let Some(policy) = self.aws.linked(link).and_then(|policy| policy.node.get("policy")) {
            return self.policy(policy);
        }
        let name = link.rsplit('/').next().unwrap_or(link);
        match self.managed.iter().find(|(known, _)| known == name) {
            Some((_, actions)) => allowing(actions, place),
            None => Policy { is_unknown: true, ..Policy::default() },
        }
    }

    /// Each policy of a kind that is attached somewhere as a level of its own. They are taken to forbid: what allows
    /// everything is attached beside them unless somebody takes it away.
    fn organisation(&self, kind: &str) -> Vec<Vec<Policy>> {
        let attached = self.aws.of("aws/organization-policy").filter(|policy| {
            let targets = policy.node.get("targets");
            policy.node.text_of("type") == Some(kind)
                && targets.is_some_and(|targets| targets.is_unknown() || !targets.items().is_empty())
        });
        let policies: Vec<Policy> = attached
            .filter_map(|policy| policy.node.get("policy"))
            .map(|policy| self.policy(policy))
            .collect();
        let everything = allowing(&["*".to_owned()], "");
        if policies.is_empty() {
            Vec::new()
        } else {
            vec![policies.into_iter().chain([everything]).collect()]
        }
    }
}

fn allowing(actions: &[String], place: &str) -> Policy {
    let statement = Statement {
        effect: Effect::Allow,
        actions: actions.iter().map(|action| Text::known(action)).collect(),
        not_actions: Vec::new(),
        resources: vec![Text::known("*")],
        not_resources: Vec::new(),
        principals: Vec::new(),
        not_principals: Vec::new(),
        conditions: Vec::new(),
        has_unknown: false,
        place: place.to_owned(),
    };
    Policy { statements: vec![statement], is_unknown: false }
}

/// Every text of a tree that is the ARN of a role or user in an account.
fn arns(node: &Node<'_>, found: &mut BTreeSet<String>) {
    if let Some(text) = node.scalar().filter(|text| text.starts_with("arn:aws:iam::")) {
        found.insert(text.to_owned());
    }
    node.items().iter().for_each(|item| arns(item, found));
    node.entries().iter().for_each(|entry| arns(&entry.value, found));
}
