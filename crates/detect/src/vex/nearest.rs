//! What comes nearest to a statement that spoke of nothing.

use yagura_model::Finding;
use yagura_model::vex::VexStatement;

use super::product::Miss;
use super::purl;
use super::scanned::Scanned;

/// The finding of the same flaw that came nearest.
#[derive(Clone, Debug, Default)]
pub(super) struct Nearest {
    best: Option<(Miss, String)>,
}

impl Nearest {
    pub(super) fn offer(&mut self, finding: &Finding, miss: Miss) {
        if self.best.as_ref().is_none_or(|(best, _)| miss.nearness > best.nearness) {
            self.best = Some((miss, label(finding)));
        }
    }

    pub(super) fn into_words(self) -> String {
        match self.best {
            Some((miss, finding)) => format!("the nearest finding is in {finding}, but {}", miss.reason),
            None => "no finding of that flaw".to_owned(),
        }
    }
}

fn label(finding: &Finding) -> String {
    match &finding.package {
        Some(package) => match &package.purl {
            Some(purl) => purl.to_string(),
            None => format!("{} {}", package.name, package.version),
        },
        None => finding.location.path.clone(),
    }
}

/// No finding names the flaw: whether the package is there at all.
pub(super) fn among_packages<'a>(
    statement: &VexStatement,
    targets: impl Iterator<Item = &'a Scanned<'a>>,
) -> String {
    let wanted: Vec<_> = statement
        .products
        .iter()
        .flat_map(|product| {
            let components = if product.subcomponents.is_empty() {
                std::slice::from_ref(&product.component)
            } else {
                &product.subcomponents
            };
            components.iter().flat_map(|component| &component.purls)
        })
        .collect();
    let mut best: Option<(Miss, String)> = None;
    for target in targets {
        for found in target.packages() {
            for wanted in &wanted {
                match purl::matches(wanted, found) {
                    Ok(()) => {
                        return format!(
                            "{found} is there, but has no finding of {}",
                            statement.vulnerability
                        );
                    }
                    Err(miss) if miss.nearness > best.as_ref().map_or(0, |(best, _)| best.nearness) => {
                        best = Some((miss, found.to_string()));
                    }
                    Err(_) => {}
                }
            }
        }
    }
    match best {
        Some((miss, found)) => format!("the nearest package is {found}, but {}", miss.reason),
        None => {
            let product = statement
                .products
                .first()
                .map_or("", |product| product.subcomponents.first().unwrap_or(&product.component).label());
            format!("no finding of {}, and no package like {product}", statement.vulnerability)
        }
    }
}
