//! Several licences in one statement: `and`, `or`, `with`, commas, slashes and parentheses of all dialects.
//!
//! `and` binds tighter than `or` (SPDX, Debian's DEP-5); a comma before either loosens it (DEP-5).

use super::names;

/// Most words and signs of a statement.
const MAX_TOKENS: usize = 256;

/// Deepest nesting of parentheses.
const MAX_DEPTH: usize = 16;

/// A term nobody knows may be a name of so many words; what is longer is prose.
const MAX_UNKNOWN_WORDS: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    And,
    Or,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    With,
    Operator(Operator),
    /// An operator after a comma: binds loosest.
    Loose(Operator),
    /// A comma alone: whatever the next operator is.
    Comma,
    Open,
    Close,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    License { text: String, known: bool },
    Join(Operator, Vec<Node>),
}

/// Reads a statement as an expression; `None` when no term of it is known or it reads as prose.
pub(super) fn parse(statement: &str) -> Option<String> {
    let tokens = resolve_commas(tokenise(statement)?);
    let mut parser = Parser { tokens: &tokens, at: 0 };
    let node = parser.group(0)?;
    if parser.at != tokens.len() || !node.any_known() {
        return None;
    }
    let text = node.write(None);
    spdx::Expression::parse_mode(&text, PRODUCED).is_ok().then_some(text)
}

/// What we write must parse as this: deprecated identifiers may stand, unknown ones may not.
pub(super) const PRODUCED: spdx::ParseMode = spdx::ParseMode {
    allow_slash_as_or_operator: false,
    allow_imprecise_license_names: false,
    allow_postfix_plus_on_gpl: false,
    allow_deprecated: true,
    allow_unknown: false,
};

fn tokenise(statement: &str) -> Option<Vec<Token>> {
    let mut words = Vec::new();
    for chunk in statement.split_whitespace() {
        split_signs(chunk, &mut words);
        if words.len() > MAX_TOKENS {
            return None;
        }
    }
    let mut tokens = Vec::with_capacity(words.len());
    let mut rest = words.as_slice();
    while let Some((word, after)) = rest.split_first() {
        let lower = word.to_ascii_lowercase();
        if let Some((version, after)) = at_least(rest) {
            // CRAN: `GPL (>= 2)`.
            tokens.push(Token::Word(format!("{version}+")));
            rest = after;
            continue;
        }
        if lower == "+" && after.first().is_some_and(|next| next.eq_ignore_ascii_case("file")) {
            // CRAN: `MIT + file LICENSE`.
            rest = after.get(2..).unwrap_or_default();
            continue;
        }
        if let Some(length) = or_later(rest) {
            match tokens.last_mut() {
                Some(Token::Word(last)) => {
                    if !last.ends_with('+') {
                        last.push('+');
                    }
                }
                _ => return None,
            }
            rest = rest.get(length..).unwrap_or_default();
            continue;
        }
        rest = after;
        match lower.as_str() {
            "and" | "&" | "&&" | "+" | "as-well-as" => push_operator(&mut tokens, Operator::And),
            "or" | "|" | "||" | "/" | "and/or" => push_operator(&mut tokens, Operator::Or),
            "with" | "w/" => tokens.push(Token::With),
            "(" => tokens.push(Token::Open),
            ")" => tokens.push(Token::Close),
            "," | ";" => {
                let continues =
                    after.first().is_none_or(|next| is_version(next) || next.eq_ignore_ascii_case("with"));
                if !continues {
                    tokens.push(Token::Comma);
                }
            }
            _ => push_slashed(&mut tokens, word),
        }
    }
    Some(tokens)
}

/// Splits parentheses, commas and bars off a chunk without blanks.
fn split_signs<'a>(chunk: &'a str, words: &mut Vec<&'a str>) {
    let mut rest = chunk;
    while let Some(at) = rest.find(['(', ')', ',', ';', '|', '&']) {
        let (word, sign) = rest.split_at(at);
        if !word.is_empty() {
            words.push(word);
        }
        let width = if sign.starts_with("||") || sign.starts_with("&&") { 2 } else { 1 };
        let (sign, after) = sign.split_at(width);
        words.push(sign);
        rest = after;
    }
    if !rest.is_empty() {
        words.push(rest);
    }
}

fn push_operator(tokens: &mut Vec<Token>, operator: Operator) {
    match tokens.last_mut() {
        Some(last @ Token::Comma) => *last = Token::Loose(operator),
        _ => tokens.push(Token::Operator(operator)),
    }
}

/// `MIT/Apache-2.0` is a choice when both halves are licences.
fn push_slashed(tokens: &mut Vec<Token>, word: &str) {
    let halves: Vec<&str> = word.split('/').collect();
    let choice = halves.len() > 1
        && names::identify(word).is_none()
        && halves.iter().all(|h| names::identify(h).is_some());
    if !choice {
        tokens.push(Token::Word(word.to_owned()));
        return;
    }
    for (index, half) in halves.into_iter().enumerate() {
        if index > 0 {
            tokens.push(Token::Operator(Operator::Or));
        }
        tokens.push(Token::Word(half.to_owned()));
    }
}

fn is_version(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let number = lower.strip_prefix('v').unwrap_or(&lower);
    lower == "version" || number.starts_with(|c: char| c.is_ascii_digit())
}

/// `( >= 2 )` in any spacing: the version and what follows.
fn at_least<'a, 'b>(words: &'b [&'a str]) -> Option<(&'a str, &'b [&'a str])> {
    match words {
        ["(", ">=", version, ")", rest @ ..] => Some((version, rest)),
        ["(", joined, ")", rest @ ..] => joined.strip_prefix(">=").map(|version| (version, rest)),
        _ => None,
    }
}

/// How many words say "or any later version" here, if they do.
fn or_later(words: &[&str]) -> Option<usize> {
    let mut length = 0;
    let mut next = || {
        let word = words.get(length).map(|word| word.to_ascii_lowercase());
        length += 1;
        word
    };
    let mut word = next()?;
    let parenthesis = word == "(";
    if parenthesis {
        word = next()?;
    }
    if word != "or" && word != "and" {
        return None;
    }
    word = next()?;
    if word == "any" {
        word = next()?;
    }
    if !matches!(word.as_str(), "later" | "newer" | "greater" | "higher" | "above") {
        return None;
    }
    let mut after = length;
    if words
        .get(after)
        .is_some_and(|w| w.eq_ignore_ascii_case("version") || w.eq_ignore_ascii_case("versions"))
    {
        after += 1;
    }
    if parenthesis {
        if words.get(after) != Some(&")") {
            return None;
        }
        after += 1;
    }
    Some(after)
}

/// Gives each lone comma the operator that follows it at the same depth, or `and`.
fn resolve_commas(mut tokens: Vec<Token>) -> Vec<Token> {
    let mut upcoming: Vec<Operator> = vec![Operator::And];
    for token in tokens.iter_mut().rev() {
        match token {
            Token::Close => upcoming.push(Operator::And),
            Token::Open => {
                if upcoming.len() > 1 {
                    upcoming.pop();
                }
            }
            Token::Operator(operator) | Token::Loose(operator) => {
                if let Some(last) = upcoming.last_mut() {
                    *last = *operator;
                }
            }
            Token::Comma => *token = Token::Operator(upcoming.last().copied().unwrap_or(Operator::And)),
            Token::Word(_) | Token::With => {}
        }
    }
    tokens
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    /// Everything up to the closing parenthesis or the end: loose operators between choices.
    fn group(&mut self, depth: usize) -> Option<Node> {
        if depth > MAX_DEPTH {
            return None;
        }
        let mut left = self.choice(depth)?;
        while let Some(Token::Loose(operator)) = self.peek() {
            let operator = *operator;
            self.at += 1;
            let right = self.choice(depth)?;
            left = left.join(operator, right);
        }
        Some(left)
    }

    fn choice(&mut self, depth: usize) -> Option<Node> {
        let mut left = self.conjunction(depth)?;
        while self.peek() == Some(&Token::Operator(Operator::Or)) {
            self.at += 1;
            let right = self.conjunction(depth)?;
            left = left.join(Operator::Or, right);
        }
        Some(left)
    }

    fn conjunction(&mut self, depth: usize) -> Option<Node> {
        let mut left = self.term(depth)?;
        while self.peek() == Some(&Token::Operator(Operator::And)) {
            self.at += 1;
            let right = self.term(depth)?;
            left = left.join(Operator::And, right);
        }
        Some(left)
    }

    fn term(&mut self, depth: usize) -> Option<Node> {
        if self.peek() == Some(&Token::Open) {
            self.at += 1;
            let inner = self.group(depth + 1)?;
            if self.peek() != Some(&Token::Close) {
                return None;
            }
            self.at += 1;
            return Some(inner);
        }
        let words = self.words();
        if words.is_empty() {
            return None;
        }
        // `MIT License (MIT)`: a parenthesis right after a name explains it.
        let mut explained = None;
        if self.peek() == Some(&Token::Open) {
            self.at += 1;
            explained = Some(self.words().join(" "));
            if self.peek() != Some(&Token::Close) {
                return None;
            }
            self.at += 1;
        }
        if self.peek() == Some(&Token::With) {
            self.at += 1;
            let exception = self.words();
            return with_exception(&words, &exception);
        }
        license(&words, explained.as_deref())
    }

    fn words(&mut self) -> Vec<&'a str> {
        let mut words = Vec::new();
        while let Some(Token::Word(word)) = self.tokens.get(self.at) {
            words.push(word.as_str());
            self.at += 1;
        }
        words
    }
}

fn license(words: &[&str], explained: Option<&str>) -> Option<Node> {
    let name = words.join(" ");
    let known = names::identify(&name).or_else(|| explained.and_then(names::identify));
    if let Some(text) = known {
        return Some(Node::License { text, known: true });
    }
    // Alpine of old: names side by side.
    let each: Option<Vec<Node>> = words
        .iter()
        .map(|word| names::identify(word).map(|text| Node::License { text, known: true }))
        .collect();
    match each {
        Some(nodes) if nodes.len() > 1 => {
            nodes.into_iter().reduce(|left, right| left.join(Operator::And, right))
        }
        _ => reference(words),
    }
}

fn with_exception(words: &[&str], exception: &[&str]) -> Option<Node> {
    if exception.is_empty() {
        return None;
    }
    let whole = format!("{} with {}", words.join(" "), exception.join(" "));
    if let Some(text) = names::identify(&whole) {
        return Some(Node::License { text, known: true });
    }
    let license = names::identify(&words.join(" ")).filter(|id| !id.contains(' '));
    match (license, names::identify_exception(&exception.join(" "))) {
        (Some(license), Some(exception)) => {
            Some(Node::License { text: format!("{license} WITH {exception}"), known: true })
        }
        (Some(license), None) if exception.len() <= MAX_UNKNOWN_WORDS => {
            let mut all = vec![license.as_str(), "with"];
            all.extend(exception);
            Some(Node::License { text: license_ref(&all)?, known: true })
        }
        _ => None,
    }
}

fn reference(words: &[&str]) -> Option<Node> {
    if words.len() > MAX_UNKNOWN_WORDS {
        return None;
    }
    let known = words.first().is_some_and(|word| word.starts_with("LicenseRef-"));
    Some(Node::License { text: license_ref(words)?, known })
}

/// `LicenseRef-` and the words, with only the characters an idstring may have.
fn license_ref(words: &[&str]) -> Option<String> {
    let name = words.join("-");
    let name = name.strip_prefix("LicenseRef-").unwrap_or(&name);
    let mut id = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || c == '.' {
            id.push(c);
        } else if !id.ends_with('-') && !id.is_empty() {
            id.push('-');
        }
    }
    let id = id.trim_end_matches('-');
    (!id.is_empty()).then(|| format!("LicenseRef-{id}"))
}

impl Node {
    fn join(self, operator: Operator, other: Self) -> Self {
        let mut all = match self {
            Self::Join(own, nodes) if own == operator => nodes,
            node => vec![node],
        };
        match other {
            Self::Join(own, nodes) if own == operator => all.extend(nodes),
            node => all.push(node),
        }
        let mut distinct: Vec<Self> = Vec::with_capacity(all.len());
        for node in all {
            if !distinct.contains(&node) {
                distinct.push(node);
            }
        }
        if distinct.len() == 1 { distinct.swap_remove(0) } else { Self::Join(operator, distinct) }
    }

    fn any_known(&self) -> bool {
        match self {
            Self::License { known, .. } => *known,
            Self::Join(_, nodes) => nodes.iter().any(Self::any_known),
        }
    }

    fn write(&self, within: Option<Operator>) -> String {
        match self {
            Self::License { text, .. } => {
                // A few names mean a whole expression.
                if within == Some(Operator::And) && text.contains(" OR ") {
                    format!("({text})")
                } else {
                    text.clone()
                }
            }
            Self::Join(operator, nodes) => {
                let sign = if *operator == Operator::And { " AND " } else { " OR " };
                let text =
                    nodes.iter().map(|node| node.write(Some(*operator))).collect::<Vec<_>>().join(sign);
                if within == Some(Operator::And) && *operator == Operator::Or {
                    format!("({text})")
                } else {
                    text
                }
            }
        }
    }
}
