//! Whether one of a statement's products is what a finding was found in.

use yagura_model::Finding;
use yagura_model::vex::{VexComponent, VexProduct, VexStatement};

use super::purl;
use super::scanned::Scanned;

/// Why something is not what a statement means, and how near it came (more is nearer).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Miss {
    pub(super) nearness: u8,
    pub(super) reason: String,
}

impl Miss {
    pub(super) fn new(nearness: u8, reason: impl Into<String>) -> Self {
        Self { nearness, reason: reason.into() }
    }

    fn nearer(self, other: Self) -> Self {
        if other.nearness > self.nearness { other } else { self }
    }
}

/// A package that fits within the wrong product comes nearer than any other package.
const RIGHT_PACKAGE: u8 = 8;

/// The first success, or the nearest miss.
pub(super) fn first_or_nearest(attempts: impl Iterator<Item = Result<(), Miss>>) -> Result<(), Miss> {
    let mut nearest: Option<Miss> = None;
    for attempt in attempts {
        match attempt {
            Ok(()) => return Ok(()),
            Err(miss) => {
                nearest = Some(match nearest {
                    Some(nearest) => nearest.nearer(miss),
                    None => miss,
                });
            }
        }
    }
    Err(nearest.unwrap_or_else(|| Miss::new(0, "nothing to recognise it by")))
}

/// Whether the statement, which names the finding's flaw, speaks of the finding.
pub(super) fn any_matches(
    statement: &VexStatement,
    finding: &Finding,
    target: Option<&Scanned<'_>>,
) -> Result<(), Miss> {
    first_or_nearest(statement.products.iter().map(|product| product_matches(product, finding, target)))
}

fn product_matches(
    product: &VexProduct,
    finding: &Finding,
    target: Option<&Scanned<'_>>,
) -> Result<(), Miss> {
    let as_target = |component: &VexComponent| match target {
        Some(target) => target.is(component),
        None => Err(Miss::new(0, "the target is not known")),
    };
    if product.subcomponents.is_empty() {
        let as_package = package_matches(&product.component, finding, target);
        return as_package.or_else(|miss| as_target(&product.component).map_err(|other| miss.nearer(other)));
    }
    first_or_nearest(
        product.subcomponents.iter().map(|subcomponent| package_matches(subcomponent, finding, target)),
    )?;
    as_target(&product.component).or_else(|miss| match target {
        Some(target) if target.has_within(&product.component, finding) => Ok(()),
        _ => Err(Miss::new(
            RIGHT_PACKAGE,
            format!("the package is meant, but only within {}: {}", product.component.label(), miss.reason),
        )),
    })
}

/// Whether the component is the finding's package, by purl or by digest.
fn package_matches(
    component: &VexComponent,
    finding: &Finding,
    target: Option<&Scanned<'_>>,
) -> Result<(), Miss> {
    if target.is_some_and(|target| target.has_digest(finding, &component.digests)) {
        return Ok(());
    }
    let Some(found) = finding.package.as_ref().and_then(|package| package.purl.as_ref()) else {
        return Err(Miss::new(0, "the finding's package has no package URL"));
    };
    first_or_nearest(component.purls.iter().map(|wanted| purl::matches(wanted, found)))
}
