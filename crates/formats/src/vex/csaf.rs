//! CSAF 2.0 documents of the VEX profile (OASIS, "Common Security Advisory Framework Version 2.0", 3.2 and 4.5).
//!
//! A product id leads to a product of the tree. Where a relationship puts a component into a product, that product
//! is the one meant and the component its subcomponent.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;
use yagura_model::SkipReason;
use yagura_model::vex::{VexComponent, VexProduct, VexSource, VexStatement, VexStatus};

use super::{Reader, identify, identify_hash, list, strings, text, utc};

/// Depth of the product tree that is followed.
const MAX_DEPTH: usize = 64;
/// Relationships in a chain that is followed.
const MAX_CHAIN: usize = 8;
/// Products of one tree; more are cut and reported.
const MAX_TREE_PRODUCTS: usize = 1_000_000;

/// Which members of `product_status` mean what; `recommended` says nothing of the flaw.
const STATUSES: [(&str, VexStatus); 7] = [
    ("known_not_affected", VexStatus::NotAffected),
    ("fixed", VexStatus::Fixed),
    ("first_fixed", VexStatus::Fixed),
    ("known_affected", VexStatus::Affected),
    ("first_affected", VexStatus::Affected),
    ("last_affected", VexStatus::Affected),
    ("under_investigation", VexStatus::UnderInvestigation),
];

pub(super) fn read(document: &Value, reader: &mut Reader<'_>) {
    let tree = Tree::read(document.get("product_tree").unwrap_or(&Value::Null), reader);
    let head = document.get("document").unwrap_or(&Value::Null);
    let tracking = head.get("tracking").unwrap_or(&Value::Null);
    let author = head.get("publisher").map(|publisher| text(publisher, "name")).unwrap_or_default();
    let timestamp = utc(&text(tracking, "current_release_date"));
    let id = text(tracking, "id");
    let mut index = 0;
    for vulnerability in list(document, "vulnerabilities") {
        let mut names: Vec<String> = list(vulnerability, "ids")
            .iter()
            .map(|id| text(id, "text"))
            .filter(|id| !id.is_empty())
            .collect();
        let cve = text(vulnerability, "cve");
        if !cve.is_empty() {
            names.insert(0, cve);
        }
        if names.is_empty() {
            reader.skip(SkipReason::Malformed, "a vulnerability without a name");
            continue;
        }
        let name = names.remove(0);
        let details = Details::read(vulnerability, &tree);
        let status_of = vulnerability.get("product_status").unwrap_or(&Value::Null);
        for (key, status) in STATUSES {
            // Products with the same explanation make one statement.
            let mut groups: BTreeMap<(String, String, String), Vec<VexProduct>> = BTreeMap::new();
            for product_id in strings(status_of, key) {
                match tree.product(&product_id) {
                    Some(product) => groups.entry(details.of(&product_id)).or_default().push(product),
                    None => reader.skip(
                        SkipReason::Malformed,
                        format!("{name}: product {product_id} is not in the product tree"),
                    ),
                }
            }
            for ((justification, impact, action), products) in groups {
                let pushed = reader.push(VexStatement {
                    vulnerability: name.clone(),
                    aliases: names.clone(),
                    status,
                    products,
                    justification,
                    impact,
                    action,
                    timestamp: timestamp.clone(),
                    author: author.clone(),
                    source: VexSource { file: reader.file.to_owned(), index, id: id.clone() },
                });
                if !pushed {
                    return;
                }
                index += 1;
            }
        }
    }
}

/// All products by id, which products are components of others, and the groups.
#[derive(Default)]
struct Tree {
    products: HashMap<String, VexComponent>,
    /// Product id to the component in it and the product it is in.
    relations: HashMap<String, (String, String)>,
    groups: HashMap<String, Vec<String>>,
}

impl Tree {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Self {
        let mut tree = Self::default();
        let mut open: Vec<(&Value, usize)> = vec![(value, 0)];
        let mut too_deep = false;
        while let Some((branch, depth)) = open.pop() {
            if let Some(product) = branch.get("product") {
                tree.add(product);
            }
            if depth >= MAX_DEPTH {
                too_deep |= !list(branch, "branches").is_empty();
                continue;
            }
            open.extend(list(branch, "branches").iter().map(|branch| (branch, depth + 1)));
            if tree.products.len() > MAX_TREE_PRODUCTS {
                reader.skip(SkipReason::TooMany, format!("more than {MAX_TREE_PRODUCTS} products"));
                break;
            }
        }
        if too_deep {
            reader.skip(SkipReason::TooDeep, format!("product tree deeper than {MAX_DEPTH}"));
        }
        for product in list(value, "full_product_names") {
            tree.add(product);
        }
        for relation in list(value, "relationships") {
            let Some(product) = relation.get("full_product_name") else { continue };
            tree.add(product);
            tree.relations.insert(
                text(product, "product_id"),
                (text(relation, "product_reference"), text(relation, "relates_to_product_reference")),
            );
        }
        for group in list(value, "product_groups") {
            tree.groups.insert(text(group, "group_id"), strings(group, "product_ids"));
        }
        tree
    }

    fn add(&mut self, product: &Value) {
        let mut component = VexComponent::default();
        let helper = product.get("product_identification_helper").unwrap_or(&Value::Null);
        identify(&mut component, &text(helper, "purl"));
        for purl in strings(helper, "purls") {
            identify(&mut component, &purl);
        }
        identify(&mut component, &text(helper, "cpe"));
        for hashes in list(helper, "hashes") {
            for hash in list(hashes, "file_hashes") {
                identify_hash(&mut component, &text(hash, "algorithm"), &text(hash, "value"));
            }
        }
        component.name = text(product, "name");
        self.products.insert(text(product, "product_id"), component);
    }

    /// The product an id stands for, with the component it is in where a relationship says so.
    fn product(&self, id: &str) -> Option<VexProduct> {
        let own = self.products.get(id)?;
        let Some((component, product)) = self.relations.get(id) else {
            return Some(VexProduct { component: own.clone(), subcomponents: Vec::new() });
        };
        // The outermost product and the innermost component of a chain.
        let outer = self.follow(product, |(_, product)| product);
        let inner = self.follow(component, |(component, _)| component);
        Some(VexProduct {
            component: self.products.get(outer)?.clone(),
            subcomponents: vec![self.products.get(inner)?.clone()],
        })
    }

    fn follow<'a>(&'a self, id: &'a str, side: impl Fn(&'a (String, String)) -> &'a String) -> &'a str {
        let mut id = id;
        for _ in 0..MAX_CHAIN {
            match self.relations.get(id) {
                Some(relation) => id = side(relation),
                None => break,
            }
        }
        id
    }

    /// The products an object is about, by id and by group.
    fn products_of(&self, value: &Value) -> Vec<String> {
        let in_groups = strings(value, "group_ids");
        let grouped = in_groups.iter().filter_map(|group| self.groups.get(group)).flatten().cloned();
        strings(value, "product_ids").into_iter().chain(grouped).collect()
    }
}

/// Flags, threats and remediations by product id; under the empty id what is said of all.
struct Details {
    justification: HashMap<String, String>,
    impact: HashMap<String, String>,
    action: HashMap<String, String>,
}

impl Details {
    fn read(vulnerability: &Value, tree: &Tree) -> Self {
        let collect = |key: &str, wanted: &dyn Fn(&Value) -> bool, member: &str| {
            let mut found = HashMap::new();
            for value in list(vulnerability, key).iter().filter(|value| wanted(value)) {
                let mut products = tree.products_of(value);
                if products.is_empty() {
                    products.push(String::new());
                }
                for product in products {
                    found.entry(product).or_insert_with(|| text(value, member));
                }
            }
            found
        };
        Self {
            justification: collect("flags", &|_| true, "label"),
            impact: collect("threats", &|threat| text(threat, "category") == "impact", "details"),
            action: collect("remediations", &|_| true, "details"),
        }
    }

    fn of(&self, product: &str) -> (String, String, String) {
        let get = |map: &HashMap<String, String>| {
            map.get(product).or_else(|| map.get("")).cloned().unwrap_or_default()
        };
        (get(&self.justification), get(&self.impact), get(&self.action))
    }
}
