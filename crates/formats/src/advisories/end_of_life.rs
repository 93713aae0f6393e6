//! End-of-life dates by product and release cycle, in the shape endoflife.date publishes.
//!
//! One object: product name → list of cycles, each `{releaseCycle, eol, …}` where `eol` is a date, `true` (over,
//! date unknown) or `false` (no end announced).

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use yagura_model::SkipReason;

use super::json::Bounded;
use super::{Day, MAX_NAME_BYTES, Problem};

/// Largest document that is read, in bytes.
pub const MAX_BYTES: usize = 64 << 20;
const MAX_CYCLES: usize = 10_000;
const MAX_PRODUCTS: usize = 10_000;

/// One release line of a product.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cycle {
    /// As the source spells it: `12`, `22.04`, `3.20`.
    pub name: String,
    /// Codename where the source has one, lower case.
    pub codename: String,
    /// When free security updates stop.
    pub end: End,
    /// When paid or long-term support stops, where that is later and known.
    pub extended: Option<Day>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum End {
    /// None announced.
    Open,
    /// Over, on a day the source does not know.
    Past,
    On(Day),
}

/// The products and what had to be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Products {
    pub products: BTreeMap<String, Vec<Cycle>>,
    /// Newest date that cannot lie in the future of the document: the newest release.
    pub newest: Option<Day>,
    pub problems: Vec<Problem>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawCycle<'a> {
    #[serde(borrow, alias = "cycle")]
    release_cycle: Option<Cow<'a, str>>,
    #[serde(borrow)]
    codename: Option<Cow<'a, str>>,
    eol: Option<Value>,
    #[serde(alias = "eoes")]
    extended_support: Option<Value>,
    #[serde(borrow)]
    release_date: Option<Cow<'a, str>>,
}

/// Reads the document; cycles without a name or an `eol` are reported and left out.
pub fn parse(bytes: &[u8]) -> Result<Products, Problem> {
    if bytes.len() > MAX_BYTES {
        return Err(Problem::new(
            SkipReason::TooLarge,
            format!("{} bytes, and the document may have {MAX_BYTES}", bytes.len()),
        ));
    }
    let raw: BTreeMap<Cow<'_, str>, Bounded<RawCycle<'_>, MAX_CYCLES>> =
        serde_json::from_slice(bytes).map_err(|error| Problem::malformed(error.to_string()))?;
    let mut products = Products::default();
    if raw.len() > MAX_PRODUCTS {
        products
            .problems
            .push(Problem::new(SkipReason::TooMany, format!("more than {MAX_PRODUCTS} products")));
    }
    for (product, cycles) in raw.into_iter().take(MAX_PRODUCTS) {
        if product.len() > MAX_NAME_BYTES {
            products.problems.push(Problem::new(SkipReason::TooLarge, "a product's name"));
            continue;
        }
        let mut kept = Vec::new();
        for cycle in cycles.items {
            let released = cycle.release_date.as_deref().and_then(Day::parse);
            products.newest = products.newest.max(released);
            let name = cycle.release_cycle.filter(|name| !name.is_empty() && name.len() <= MAX_NAME_BYTES);
            let end = cycle.eol.as_ref().and_then(end);
            let (Some(name), Some(end)) = (name, end) else {
                products
                    .problems
                    .push(Problem::malformed(format!("{product} has a cycle without name or eol")));
                continue;
            };
            let extended = match cycle.extended_support.as_ref().and_then(self::end) {
                Some(End::On(day)) => Some(day),
                _ => None,
            };
            let codename = cycle.codename.unwrap_or_default().chars().take(64).collect::<String>();
            kept.push(Cycle { name: name.into_owned(), codename: codename.to_lowercase(), end, extended });
        }
        kept.sort();
        products.products.insert(product.into_owned(), kept);
    }
    Ok(products)
}

fn end(value: &Value) -> Option<End> {
    match value {
        Value::Bool(true) => Some(End::Past),
        Value::Bool(false) => Some(End::Open),
        // Some copies of the data have the flags as texts.
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(End::Past),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(End::Open),
        Value::String(text) => Day::parse(text).map(End::On),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_dates_and_flags() {
        let json = br#"{"debian":[{"releaseCycle":"12","codename":"Bookworm","releaseDate":"2023-06-10","eol":"2026-06-10",
            "extendedSupport":"2028-06-30"},{"releaseCycle":"6","eol":true},{"releaseCycle":"14","eol":"False"},
            {"releaseCycle":"13"},{"eol":"2020-01-01"}]}"#;
        let products = parse(json).unwrap();
        let cycles = &products.products["debian"];
        let ends: Vec<_> = cycles.iter().map(|c| (c.name.as_str(), c.end)).collect();
        let day = Day::parse("2026-06-10").unwrap();
        assert_eq!(ends, [("12", End::On(day)), ("14", End::Open), ("6", End::Past)]);
        assert_eq!(cycles[0].codename, "bookworm");
        assert_eq!(cycles[0].extended, Day::parse("2028-06-30"));
        assert_eq!(products.problems.len(), 2);
        assert!(parse(b"[1]").is_err());
    }
}
