//! The syntax tree.

/// An expression and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    pub kind: Kind,
    /// Byte offset of its first character in the text.
    pub start: u32,
    /// Byte offset after its last character.
    pub end: u32,
    /// Nesting below it.
    pub depth: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Literal(Literal),
    /// A name; `rooted` when it begins with a dot.
    Identifier {
        name: String,
        rooted: bool,
    },
    Select {
        operand: Box<Expression>,
        field: String,
        optional: bool,
    },
    /// `has(operand.field)`.
    Has {
        operand: Box<Expression>,
        field: String,
    },
    Index {
        operand: Box<Expression>,
        index: Box<Expression>,
        optional: bool,
    },
    /// A call; `target` is what stands before the dot.
    Call {
        target: Option<Box<Expression>>,
        name: String,
        arguments: Vec<Expression>,
    },
    /// Items, each whether it was marked with `?`.
    List(Vec<(Expression, bool)>),
    Map(Vec<(Expression, Expression, bool)>),
    /// A message such as `google.protobuf.Duration{…}`.
    Struct {
        name: String,
        fields: Vec<(String, Expression, bool)>,
    },
    Unary(Unary, Box<Expression>),
    Binary(Binary, Box<Expression>, Box<Expression>),
    /// Two and more, joined by `&&`.
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Conditional {
        condition: Box<Expression>,
        then: Box<Expression>,
        otherwise: Box<Expression>,
    },
    Loop(Box<Loop>),
    /// `cel.bind(name, value, body)`.
    Bind {
        name: String,
        value: Box<Expression>,
        body: Box<Expression>,
    },
    /// `operand.optMap(name, body)`; `flat` for optFlatMap.
    OptionalMap {
        operand: Box<Expression>,
        name: String,
        body: Box<Expression>,
        flat: bool,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    String(String),
    Bytes(Vec<u8>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unary {
    Not,
    Negate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
}

/// A macro over the elements of a list or the keys of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Loop {
    pub kind: LoopKind,
    pub range: Expression,
    /// The element or key; with two names the index or key, and then the element or value.
    pub names: Vec<String>,
    /// Only elements for which it is true count.
    pub filter: Option<Expression>,
    pub body: Expression,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoopKind {
    All,
    Exists,
    ExistsOne,
    Filter,
    /// `map` and `transformList`.
    Map,
    TransformMap,
    TransformMapEntry,
    SortBy,
}

impl Expression {
    pub fn new(kind: Kind, start: u32, end: u32) -> Self {
        let depth = kind.children().iter().map(|child| child.depth).max().map_or(0, |deepest| deepest + 1);
        Self { kind, start, end, depth }
    }

    /// Calls `each` for this expression and all below it.
    pub fn walk<'e>(&'e self, each: &mut dyn FnMut(&'e Expression)) {
        each(self);
        for child in self.kind.children() {
            child.walk(each);
        }
    }
}

impl Kind {
    /// The expressions it is made of.
    pub fn children(&self) -> Vec<&Expression> {
        match self {
            Kind::Literal(_) | Kind::Identifier { .. } => Vec::new(),
            Kind::Select { operand, .. } | Kind::Has { operand, .. } | Kind::Unary(_, operand) => {
                vec![operand]
            }
            Kind::Index { operand, index, .. } => vec![operand, index],
            Kind::Call { target, arguments, .. } => target.as_deref().into_iter().chain(arguments).collect(),
            Kind::List(items) => items.iter().map(|(item, _)| item).collect(),
            Kind::Map(entries) => entries.iter().flat_map(|(key, value, _)| [key, value]).collect(),
            Kind::Struct { fields, .. } => fields.iter().map(|(_, value, _)| value).collect(),
            Kind::Binary(_, left, right) => vec![left, right],
            Kind::And(terms) | Kind::Or(terms) => terms.iter().collect(),
            Kind::Conditional { condition, then, otherwise } => vec![condition, then, otherwise],
            Kind::Loop(of) => [&of.range].into_iter().chain(&of.filter).chain([&of.body]).collect(),
            Kind::Bind { value, body, .. } => vec![value, body],
            Kind::OptionalMap { operand, body, .. } => vec![operand, body],
        }
    }
}
