//! The tables of `rules/mappings/`: which property of which language is which field of a shape.
//!
//! ```text
//! aws/rds-instance = aws_db_instance AWS::RDS::DBInstance
//!   encrypted     storage_encrypted  StorageEncrypted  bool =false
//!   endpoints[]   endpoint           Endpoints
//!     port        port               Port
//! + aws/s3-bucket = aws_s3_bucket_policy(bucket) AWS::S3::BucketPolicy(Bucket)
//!   policy        policy             PolicyDocument    policy
//! ```
//!
//! The first line of a section names a shape and the types that have it; `+` starts a section whose resources are
//! parts of others, found by what the property in brackets refers to. A field has a path for each language (only one
//! column where no type of CloudFormation is named), then conversions and a default. `field[]` has a value for each
//! element of what its path gives, `field{}` is an object; their fields are indented below. In paths, `a.b` goes into
//! blocks and objects, `a[].b` gathers from each element, `a|b` takes the first that is stated, `a+b` both, `.` stays, `-` is nothing and `"text"` that
//! text.

use std::collections::HashMap;
use std::sync::OnceLock;

use yagura_formats::document::Value;

use super::Language;

/// Every table.
pub(super) struct Tables {
    pub sections: Vec<Section>,
    /// By type, in the order of the tables.
    by_type: HashMap<&'static str, Vec<usize>>,
}

pub(super) struct Section {
    pub kind: &'static str,
    /// The types, each with the path to what it is part of.
    pub types: Vec<(&'static str, Option<Path>)>,
    pub fields: Vec<Field>,
}

pub(super) struct Field {
    pub name: &'static str,
    pub form: Form,
    pub terraform: Path,
    pub cloudformation: Path,
    pub conversions: Vec<Conversion>,
    pub terraform_default: Option<Default>,
    pub cloudformation_default: Option<Default>,
    pub fields: Vec<Field>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// One value.
    Value,
    /// An object with fields of its own.
    Object,
    /// A list with a value for each element.
    Each,
}

/// Alternatives of parts; of the first that gives anything, all parts count.
pub(super) type Path = Vec<Vec<Way>>;

pub(super) enum Way {
    Constant(&'static str),
    /// Keys to follow; none stays.
    Keys(Vec<&'static str>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Conversion {
    Bool,
    List,
    Lower,
    Tags,
    Json,
    Policy,
    /// The name of another resource; of the kinds named where the text is an identifier.
    Link(Vec<&'static str>),
    /// Whether the value is one of these.
    Is(Vec<&'static str>),
    IsNot(Vec<&'static str>),
    /// Whether it is stated.
    Has,
    Not,
    /// Digits as a number, as providers read them.
    Number,
    /// One word for another.
    Case(Vec<(&'static str, &'static str)>),
    /// What stands behind the last `/`.
    Last,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Default {
    Known(Value<'static>),
    Unknown,
}

/// A shape's fields as people read them, for the documentation.
pub struct Reference {
    pub kind: &'static str,
    pub types: Vec<&'static str>,
    pub fields: Vec<String>,
}

impl Tables {
    /// The sections that read a type.
    pub fn of<'t>(&'t self, kind: &str) -> Vec<(&'t Section, Option<&'t Path>)> {
        let sections = self.by_type.get(kind).map(Vec::as_slice).unwrap_or_default();
        let owner = |section: &'t Section| {
            section.types.iter().find(|(name, _)| *name == kind).and_then(|(_, owner)| owner.as_ref())
        };
        sections
            .iter()
            .filter_map(|at| self.sections.get(*at))
            .map(|section| (section, owner(section)))
            .collect()
    }

    /// Every field of a kind, those of its parts included.
    pub fn fields<'t>(&'t self, kind: &str) -> impl Iterator<Item = &'t Field> {
        let sections: Vec<_> = self.sections.iter().filter(|section| section.kind == kind).collect();
        sections.into_iter().flat_map(|section| &section.fields)
    }
}

impl Field {
    pub fn path(&self, language: Language) -> &Path {
        match language {
            Language::Terraform => &self.terraform,
            Language::CloudFormation => &self.cloudformation,
        }
    }

    pub fn default(&self, language: Language) -> Option<&Default> {
        match language {
            Language::Terraform => self.terraform_default.as_ref(),
            Language::CloudFormation => self.cloudformation_default.as_ref(),
        }
    }
}

/// The tables that the program carries.
pub(super) fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| {
        let mut tables = Tables { sections: Vec::new(), by_type: HashMap::new() };
        for file in yagura_rules::family("mappings") {
            // The tables are part of the program, and a test reads them all.
            if let Ok(sections) = parse(file.text) {
                tables.sections.extend(sections);
            }
        }
        for (at, section) in tables.sections.iter().enumerate() {
            for (kind, _) in &section.types {
                tables.by_type.entry(kind).or_default().push(at);
            }
        }
        tables
    })
}

/// Every shape with its types and fields, in the order of the tables.
pub fn reference() -> Vec<Reference> {
    let mut shapes: Vec<Reference> = Vec::new();
    for section in &tables().sections {
        let at = shapes.iter().position(|shape| shape.kind == section.kind).unwrap_or_else(|| {
            shapes.push(Reference { kind: section.kind, types: Vec::new(), fields: Vec::new() });
            shapes.len() - 1
        });
        let Some(shape) = shapes.get_mut(at) else { continue };
        shape.types.extend(section.types.iter().map(|(name, _)| *name));
        name_fields("", &section.fields, &mut shape.fields);
    }
    shapes
}

fn name_fields(prefix: &str, fields: &[Field], out: &mut Vec<String>) {
    for field in fields {
        let mark = if field.form == Form::Each { "[]" } else { "" };
        let name = format!("{prefix}{}{mark}", field.name);
        if !out.contains(&name) {
            out.push(name.clone());
        }
        name_fields(&format!("{name}."), &field.fields, out);
    }
}

/// Reads one table; the error names the line.
pub(super) fn parse(text: &'static str) -> Result<Vec<Section>, String> {
    let mut sections: Vec<Section> = Vec::new();
    let mut both = false;
    for (number, line) in text.lines().enumerate() {
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let wrong = |detail: &str| format!("line {}: {detail}", number + 1);
        let indent = line.len() - line.trim_start().len();
        if indent == 0 {
            let section = section(content).ok_or_else(|| wrong("no section"))?;
            both = section.types.iter().any(|(name, _)| name.contains("::"));
            sections.push(section);
            continue;
        }
        if indent % 2 != 0 {
            return Err(wrong("the indentation is odd"));
        }
        let mut fields = &mut sections.last_mut().ok_or_else(|| wrong("a field before any section"))?.fields;
        for _ in 1..indent / 2 {
            fields = &mut fields.last_mut().ok_or_else(|| wrong("a field below none"))?.fields;
        }
        fields.push(field(content, both).map_err(|detail| wrong(&detail))?);
    }
    Ok(sections)
}

fn section(line: &'static str) -> Option<Section> {
    let line = line.strip_prefix("+ ").unwrap_or(line);
    let (kind, types) = line.split_once(" = ")?;
    let types = types
        .split_whitespace()
        .map(|word| match word.split_once('(') {
            Some((name, owner)) => (name, owner.strip_suffix(')').map(path)),
            None => (word, None),
        })
        .collect();
    Some(Section { kind: kind.trim(), types, fields: Vec::new() })
}

fn field(line: &'static str, both: bool) -> Result<Field, String> {
    let mut words = words(line).into_iter();
    let name = words.next().ok_or("a field without a name")?;
    let terraform = path(words.next().ok_or("the path is missing")?);
    let cloudformation = match both {
        true => path(words.next().ok_or("the path of CloudFormation is missing")?),
        false => Vec::new(),
    };
    let (name, form) = match (name.strip_suffix("[]"), name.strip_suffix("{}")) {
        (Some(name), _) => (name, Form::Each),
        (_, Some(name)) => (name, Form::Object),
        _ => (name, Form::Value),
    };
    let mut field = Field {
        name,
        form,
        terraform,
        cloudformation,
        conversions: Vec::new(),
        terraform_default: None,
        cloudformation_default: None,
        fields: Vec::new(),
    };
    for word in words {
        let Some(default) = word.strip_prefix('=') else {
            field.conversions.push(conversion(word)?);
            continue;
        };
        let stated = default.trim_start_matches("tf:").trim_start_matches("cfn:");
        // What is a number where nobody states it is one where somebody does.
        if matches!(literal(stated), Default::Known(Value::Number(_)))
            && !field.conversions.contains(&Conversion::Number)
        {
            field.conversions.push(Conversion::Number);
        }
        match (default.strip_prefix("tf:"), default.strip_prefix("cfn:")) {
            (Some(value), _) => field.terraform_default = Some(literal(value)),
            (_, Some(value)) => field.cloudformation_default = Some(literal(value)),
            _ => {
                field.terraform_default = Some(literal(default));
                field.cloudformation_default = Some(literal(default));
            }
        }
    }
    // What is only asked for being there is not there unless something says so.
    if field.conversions.contains(&Conversion::Has) {
        let default = || Some(Default::Known(Value::Bool(false)));
        if !field.terraform.is_empty() && field.terraform_default.is_none() {
            field.terraform_default = default();
        }
        if !field.cloudformation.is_empty() && field.cloudformation_default.is_none() {
            field.cloudformation_default = default();
        }
    }
    Ok(field)
}

/// Splits at blanks, but not within quotes or brackets.
fn words(line: &'static str) -> Vec<&'static str> {
    let mut words = Vec::new();
    let mut start = None;
    let (mut quoted, mut brackets) = (false, 0_u32);
    for (at, character) in line.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '(' => brackets += 1,
            ')' => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        if character.is_whitespace() && !quoted && brackets == 0 {
            words.extend(start.take().and_then(|start| line.get(start..at)));
        } else if start.is_none() {
            start = Some(at);
        }
    }
    words.extend(start.and_then(|start| line.get(start..)));
    words
}

fn path(text: &'static str) -> Path {
    let way = |part: &'static str| match part.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(constant) => Way::Constant(constant),
        None => Way::Keys(part.split('.').filter(|key| !key.is_empty()).collect()),
    };
    match text {
        "-" => Vec::new(),
        _ if text.starts_with('"') => vec![vec![way(text)]],
        _ => text.split('|').map(|alternative| alternative.split('+').map(way).collect()).collect(),
    }
}

fn conversion(word: &'static str) -> Result<Conversion, String> {
    let (name, arguments) = match word.split_once('(') {
        Some((name, rest)) => (
            name,
            rest.trim_end_matches(')').split(',').map(str::trim).filter(|text| !text.is_empty()).collect(),
        ),
        None => (word, Vec::new()),
    };
    let arguments: Vec<&'static str> = arguments;
    Ok(match name {
        "bool" => Conversion::Bool,
        "list" => Conversion::List,
        "lower" => Conversion::Lower,
        "tags" => Conversion::Tags,
        "json" => Conversion::Json,
        "policy" => Conversion::Policy,
        "link" => Conversion::Link(arguments),
        "is" => Conversion::Is(arguments),
        "isnt" => Conversion::IsNot(arguments),
        "has" => Conversion::Has,
        "not" => Conversion::Not,
        "number" => Conversion::Number,
        "case" => Conversion::Case(arguments.iter().filter_map(|pair| pair.split_once(':')).collect()),
        "last" => Conversion::Last,
        _ => return Err(format!("no conversion is called {name}")),
    })
}

fn literal(text: &'static str) -> Default {
    Default::Known(match text {
        "unknown" => return Default::Unknown,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "[]" => Value::Sequence(Vec::new()),
        "{}" => Value::Mapping(Vec::new()),
        _ if text.parse::<f64>().is_ok() => Value::Number(text.into()),
        _ => Value::String(text.trim_matches('"').into()),
    })
}
