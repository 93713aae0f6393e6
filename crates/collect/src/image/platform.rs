//! The choice of one image from an index, and the error that lists what there is.

use yagura_formats::image::{Descriptor, Index, Platform};

use crate::error::{Error, ErrorKind, Result};

/// Reads a platform as the user wrote it.
pub fn parse_platform(text: &str) -> Result<Platform> {
    text.parse().map_err(|error: yagura_formats::image::InvalidPlatform| {
        Error::new(ErrorKind::InvalidReference, error.to_string())
    })
}

/// What this machine would run: Linux of the program's own architecture.
fn this_machine() -> Platform {
    Platform::new("linux", std::env::consts::ARCH, "")
}

/// With a platform asked for, it must be there. Without one, a single image is taken whatever it is for, and of
/// several the one for this machine.
pub(crate) fn choose<'a>(index: &'a Index, wanted: Option<&Platform>) -> Result<&'a Descriptor> {
    let mut images = index.images();
    if let (None, Some(only), None) = (wanted, images.next(), images.next()) {
        return Ok(only);
    }
    let here = this_machine();
    let asked = wanted.unwrap_or(&here);
    index.choose(asked).ok_or_else(|| {
        let mut available: Vec<String> =
            index.images().filter_map(|image| image.platform.as_ref()).map(ToString::to_string).collect();
        available.sort();
        available.dedup();
        let error = Error::new(ErrorKind::WrongPlatform, format!("there is no image for {asked}"));
        if available.is_empty() {
            error.advise("its index lists no images")
        } else {
            error.advise(format!("choose with --platform one of {}", available.join(", ")))
        }
    })
}

/// Refuses a single image that is not for the platform asked for.
pub(crate) fn check(image: &Platform, wanted: Option<&Platform>) -> Result<()> {
    match wanted {
        Some(wanted) if !image.architecture.is_empty() && !wanted.accepts(image) => {
            Err(Error::new(ErrorKind::WrongPlatform, format!("the image is for {image}, not for {wanted}"))
                .advise("leave --platform out, or name another image"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(platforms: &[&str]) -> Index {
        let manifests: Vec<String> = platforms
            .iter()
            .map(|text| {
                let parts: Vec<&str> = text.split('/').collect();
                let variant = parts.get(2).copied().unwrap_or_default();
                format!(
                    r#"{{"digest":"sha256:{}","size":2,"platform":{{"os":"{}","architecture":"{}","variant":"{variant}"}}}}"#,
                    "ab".repeat(32),
                    parts[0],
                    parts[1],
                )
            })
            .collect();
        let text = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, manifests.join(","));
        yagura_formats::image::parse_index(text.as_bytes()).unwrap()
    }

    fn chosen(index: &Index, wanted: Option<&str>) -> Result<String> {
        let wanted = wanted.map(|text| parse_platform(text).unwrap());
        choose(index, wanted.as_ref()).map(|image| image.platform.as_ref().unwrap().to_string())
    }

    #[test]
    fn the_wanted_platform_is_chosen_and_attestations_never_are() {
        let several =
            index(&["unknown/unknown", "linux/arm/v6", "linux/arm/v7", "linux/arm64/v8", "linux/s390x"]);
        assert_eq!(chosen(&several, Some("linux/arm64")).unwrap(), "linux/arm64");
        assert_eq!(chosen(&several, Some("linux/arm/v7")).unwrap(), "linux/arm/v7");
        assert!(chosen(&several, Some("unknown/unknown")).is_err());
        let error = chosen(&several, Some("linux/riscv64")).unwrap_err();
        assert_eq!(error.kind, ErrorKind::WrongPlatform);
        assert_eq!(
            error.to_string(),
            "there is no image for linux/riscv64; choose with --platform one of \
             linux/arm/v6, linux/arm/v7, linux/arm64, linux/s390x"
        );
    }

    #[test]
    fn without_a_wish_a_single_image_is_taken_and_of_several_ours() {
        assert_eq!(chosen(&index(&["unknown/unknown", "windows/amd64"]), None).unwrap(), "windows/amd64");
        let here = this_machine().to_string();
        assert_eq!(chosen(&index(&["linux/mips64le", &here]), None).unwrap(), here);
        assert!(chosen(&index(&["unknown/unknown"]), None).is_err());
    }
}
