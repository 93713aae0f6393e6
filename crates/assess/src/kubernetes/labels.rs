//! Labels and the selectors over them, as `metav1.LabelSelector` defines them.

use yagura_formats::document::Node;

/// The labels of one object, sorted by key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Labels(Box<[(Box<str>, Box<str>)]>);

impl Labels {
    /// Reads a mapping of strings; a key that repeats has its last value.
    pub fn read(node: Option<&Node<'_>>) -> Self {
        let entries = node.map(Node::entries).unwrap_or_default();
        entries
            .iter()
            .filter_map(|entry| Some((entry.key.scalar()?, entry.value.scalar().unwrap_or_default())))
            .collect()
    }

    pub fn get(&self, key: &str) -> Option<&str> {
        let at = self.0.binary_search_by(|(own, _)| (**own).cmp(key)).ok()?;
        self.0.get(at).map(|(_, value)| &**value)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }

    /// These labels and one more, which yields to one that is there already.
    pub fn with_default(self, key: &str, value: &str) -> Self {
        if self.get(key).is_some() {
            return self;
        }
        self.iter().chain([(key, value)]).collect()
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Labels {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(pairs: I) -> Self {
        let sorted: std::collections::BTreeMap<&str, &str> = pairs.into_iter().collect();
        Self(sorted.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

/// What labels must satisfy: every requirement. Without requirements it selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Selector {
    requirements: Vec<Requirement>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Requirement {
    key: Box<str>,
    operator: Operator,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Operator {
    In(Vec<Box<str>>),
    /// Labels without the key satisfy it, too.
    NotIn(Vec<Box<str>>),
    Exists,
    DoesNotExist,
}

impl Selector {
    /// Reads `matchLabels` and `matchExpressions`. What the API server would refuse is an error, in words.
    pub fn read(node: &Node<'_>) -> Result<Self, String> {
        let mut selector = Self::equal_to(node.get("matchLabels"))?;
        for expression in node.get("matchExpressions").map(Node::items).unwrap_or_default() {
            selector.requirements.push(Requirement::read(expression)?);
        }
        Ok(selector)
    }

    /// A plain mapping of labels that must all be there, as services have it.
    pub fn equal_to(labels: Option<&Node<'_>>) -> Result<Self, String> {
        let mut requirements = Vec::new();
        for (key, value) in Labels::read(labels).iter() {
            check_key(key)?;
            check_value(value)?;
            requirements.push(Requirement { key: key.into(), operator: Operator::In(vec![value.into()]) });
        }
        Ok(Self { requirements })
    }

    pub fn matches(&self, labels: &Labels) -> bool {
        self.requirements.iter().all(|requirement| requirement.holds(labels.get(&requirement.key)))
    }

    /// Whether it selects everything whatever its labels.
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// The keys it looks at.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.requirements.iter().map(|requirement| &*requirement.key)
    }
}

impl Requirement {
    fn read(node: &Node<'_>) -> Result<Self, String> {
        let key = node.text_of("key").unwrap_or_default();
        check_key(key)?;
        let values: Vec<Box<str>> = node
            .get("values")
            .map(Node::items)
            .unwrap_or_default()
            .iter()
            .filter_map(Node::scalar)
            .map(Into::into)
            .collect();
        values.iter().try_for_each(|value| check_value(value))?;
        let name = node.text_of("operator").unwrap_or_default();
        let operator = match (name, values.is_empty()) {
            ("In", false) => Operator::In(values),
            ("NotIn", false) => Operator::NotIn(values),
            ("Exists", true) => Operator::Exists,
            ("DoesNotExist", true) => Operator::DoesNotExist,
            ("In" | "NotIn", true) => return Err(format!("`{key}` {name} needs values")),
            ("Exists" | "DoesNotExist", false) => return Err(format!("`{key}` {name} takes no values")),
            _ => return Err(format!("`{name}` is no operator of label selectors")),
        };
        Ok(Self { key: key.into(), operator })
    }

    fn holds(&self, value: Option<&str>) -> bool {
        let among = |values: &[Box<str>]| value.is_some_and(|value| values.iter().any(|one| **one == *value));
        match &self.operator {
            Operator::In(values) => among(values),
            Operator::NotIn(values) => !among(values),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}

/// A label's key: an optional DNS prefix and a name of at most 63 characters.
fn check_key(key: &str) -> Result<(), String> {
    let (prefix, name) = key.rsplit_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    let prefix_fits = prefix.is_none_or(|prefix| {
        !prefix.is_empty()
            && prefix.len() <= 253
            && prefix
                .split('.')
                .all(|part| word(part, |c| c.is_ascii_lowercase() || c.is_ascii_digit(), |c| c == '-'))
    });
    if prefix_fits && !name.is_empty() && is_name(name) {
        return Ok(());
    }
    Err(format!("`{key}` is no label key"))
}

fn check_value(value: &str) -> Result<(), String> {
    if value.is_empty() || is_name(value) { Ok(()) } else { Err(format!("`{value}` is no label value")) }
}

fn is_name(text: &str) -> bool {
    text.len() <= 63 && word(text, |c| c.is_ascii_alphanumeric(), |c| matches!(c, '-' | '_' | '.'))
}

/// Starts and ends with one of `outer`; between may also stand one of `inner`.
fn word(text: &str, outer: impl Fn(char) -> bool, inner: impl Fn(char) -> bool) -> bool {
    text.starts_with(&outer) && text.ends_with(&outer) && text.chars().all(|c| outer(c) || inner(c))
}

#[cfg(test)]
mod tests {
    use super::{Labels, Selector};
    use yagura_formats::document::yaml;

    fn selects(selector: &str, labels: &str) -> bool {
        let selector = yaml::parse(selector);
        let labels = yaml::parse(labels);
        Selector::read(selector.root().unwrap()).unwrap().matches(&Labels::read(labels.root()))
    }

    #[test]
    fn every_requirement_must_hold() {
        assert!(selects("{}", "{}"));
        assert!(selects("{matchLabels: {a: b}}", "{a: b, c: d}"));
        assert!(!selects("{matchLabels: {a: b, c: x}}", "{a: b, c: d}"));
        let not_in = "{matchExpressions: [{key: a, operator: NotIn, values: [x]}]}";
        assert!(selects(not_in, "{}") && selects(not_in, "{a: y}") && !selects(not_in, "{a: x}"));
        let absent = "{matchExpressions: [{key: a, operator: DoesNotExist}]}";
        assert!(selects(absent, "{b: c}") && !selects(absent, "{a: ''}"));
        let any = "{matchLabels: {z: q}, matchExpressions: [{key: a, operator: In, values: [x, y]}, {key: b, operator: Exists}]}";
        assert!(selects(any, "{z: q, a: y, b: ''}") && !selects(any, "{z: q, a: y}"));
    }

    #[test]
    fn what_the_api_server_refuses_is_an_error() {
        for text in [
            "{matchExpressions: [{key: a, operator: Within, values: [x]}]}",
            "{matchExpressions: [{key: a, operator: In}]}",
            "{matchExpressions: [{key: a, operator: Exists, values: [x]}]}",
            "{matchLabels: {'app@b': x}}",
            "{matchLabels: {app: 'x y'}}",
        ] {
            assert!(Selector::read(yaml::parse(text).root().unwrap()).is_err(), "{text}");
        }
    }
}
