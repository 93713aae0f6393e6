//! Layouts and archives as umoci, skopeo and podman write them.

mod support;

use std::io::Read;
use std::path::Path;

use support::{have, layer_bytes, run, sha256, umoci_layout};
use yagura_collect::image::{open_archive, open_directory, parse_platform};
use yagura_collect::target::ArchiveFormat;
use yagura_collect::{ErrorKind, ImageHandle, Target};

const TOOLS: &[&str] = &["umoci", "skopeo", "sha256sum", "gzip", "zstd", "tar"];

fn open(target: &str, scratch: &Path) -> ImageHandle {
    match Target::parse(target).unwrap() {
        Target::Archive { path, format, reference } => {
            open_archive(&path, format, reference.as_deref(), None, scratch).unwrap()
        }
        Target::OciDirectory { path, reference } => {
            open_directory(&path, reference.as_deref(), None).unwrap()
        }
        other => panic!("{target} was taken for {other:?}"),
    }
}

#[test]
fn one_image_is_the_same_in_every_packing() {
    if !have("one_image_is_the_same_in_every_packing", TOOLS) {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path();
    let layout = umoci_layout(root).display().to_string();
    let at = |name: &str| root.join(name).display().to_string();
    let source = format!("oci:{layout}:v1");
    run("skopeo", &["copy", "-q", &source, &format!("oci-archive:{}:v1", at("o.tar"))]);
    run("skopeo", &["copy", "-q", &source, &format!("docker-archive:{}:org/app:v1", at("d.tar"))]);
    run("skopeo", &["copy", "-q", "--dest-compress-format", "zstd", &source, &format!("oci:{}:v1", at("z"))]);
    run("gzip", &["-k", &at("d.tar")]);
    run("zstd", &["-q", "-k", &at("o.tar")]);

    let reference = open(&format!("oci-dir:{layout}:v1"), root);
    assert_eq!(reference.layer_count(), 2);
    assert_eq!(reference.image.config.user, "1000");
    assert_eq!(reference.image.labels.get("maker").map(String::as_str), Some("test"));
    assert_eq!(reference.image.tags, ["v1"]);
    let diff_ids: Vec<_> = reference.image.layers.iter().map(|layer| layer.diff_id.clone()).collect();
    for (index, layer) in reference.image.layers.iter().enumerate() {
        let bytes = layer_bytes(&reference, index);
        assert_eq!(sha256(&bytes), layer.blob_digest.as_ref().unwrap().to_string());
        assert_eq!(bytes.len() as u64, layer.size);
        let mut inflated = Vec::new();
        flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut inflated).unwrap();
        assert_eq!(sha256(&inflated), layer.diff_id.to_string());
    }

    for target in [
        layout.clone(),
        format!("{layout}:v1"),
        format!("{layout}@{}", reference.image.manifest_digest.as_ref().unwrap()),
        at("z"),
        at("o.tar"),
        format!("oci-archive:{}:v1", at("o.tar")),
        at("o.tar.zst"),
        at("d.tar"),
        format!("docker-archive:{}:org/app:v1", at("d.tar")),
        format!("docker-archive:{}:v1", at("d.tar")),
        at("d.tar.gz"),
    ] {
        let image = open(&target, root);
        let found: Vec<_> = image.image.layers.iter().map(|layer| layer.diff_id.clone()).collect();
        assert_eq!(found, diff_ids, "{target}");
        assert_eq!(image.image.config, reference.image.config, "{target}");
        // Two layers at once, from two threads.
        std::thread::scope(|scope| {
            let readers: Vec<_> = (0..2)
                .map(|index| {
                    scope.spawn({
                        let image = &image;
                        move || layer_bytes(image, index)
                    })
                })
                .collect();
            for (layer, reader) in image.image.layers.iter().zip(readers) {
                let bytes = reader.join().unwrap();
                let stored = layer.blob_digest.as_ref().unwrap_or(&layer.diff_id);
                assert_eq!(sha256(&bytes), stored.to_string(), "{target}");
                assert_eq!(bytes.len() as u64, layer.size, "{target}");
            }
        });
    }
    let docker = open(&at("d.tar"), root);
    assert_eq!(docker.image.tags, ["docker.io/org/app:v1"]);
}

#[test]
fn several_images_in_one_layout_are_told_apart() {
    if !have("several_images_in_one_layout_are_told_apart", TOOLS) {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path();
    let layout = umoci_layout(root);
    let shown = layout.display().to_string();
    run("umoci", &["new", "--image", &format!("{shown}:empty")]);
    run("umoci", &["config", "--image", &format!("{shown}:empty"), "--architecture", "s390x"]);

    let error = open_directory(&layout, None, None).unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidReference);
    assert!(
        error.to_string().ends_with("the layout holds several images; choose one with PATH:TAG: empty, v1"),
        "{error}"
    );
    let error = open_directory(&layout, Some("v2"), None).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert!(error.to_string().ends_with("no image `v2`; it has empty, v1"), "{error}");
    assert_eq!(open_directory(&layout, Some("v1"), None).unwrap().layer_count(), 2);

    let error =
        open_directory(&layout, Some("empty"), Some(&parse_platform("linux/arm64").unwrap())).unwrap_err();
    assert_eq!(error.kind, ErrorKind::WrongPlatform);
    assert!(open_directory(&layout, Some("empty"), Some(&parse_platform("linux/s390x").unwrap())).is_ok());
}

#[test]
fn damage_is_told_and_spares_what_is_whole() {
    if !have("damage_is_told_and_spares_what_is_whole", TOOLS) {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path();
    let layout = umoci_layout(root);
    let image = open_directory(&layout, None, None).unwrap();
    let blob = |digest: &yagura_model::Digest| layout.join("blobs/sha256").join(digest.hex());

    // A missing layer is that layer's error alone.
    let upper = blob(image.image.layers[1].blob_digest.as_ref().unwrap());
    std::fs::remove_file(&upper).unwrap();
    let damaged = open_directory(&layout, None, None).unwrap();
    assert_eq!(damaged.layer(1).err().unwrap().kind, ErrorKind::NotFound);
    assert!(!layer_bytes(&damaged, 0).is_empty());
    // A FIFO in its place neither hangs nor reads.
    run("mkfifo", &[&upper.display().to_string()]);
    assert_eq!(
        open_directory(&layout, None, None).unwrap().layer(1).err().unwrap().kind,
        ErrorKind::Malformed
    );

    // A changed configuration is another image.
    let config = blob(image.image.config_digest.as_ref().unwrap());
    let text = std::fs::read_to_string(&config).unwrap().replace("1000", "0000");
    std::fs::write(&config, text).unwrap();
    let error = open_directory(&layout, None, None).unwrap_err();
    assert_eq!(error.kind, ErrorKind::DigestMismatch);
}

#[test]
fn archives_of_the_time_before_manifest_json_are_read() {
    if !have("archives_of_the_time_before_manifest_json_are_read", &["tar", "sha256sum"]) {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path();
    let (base, top) = ("b".repeat(64), "c".repeat(64));
    for (id, parent) in [(&base, None), (&top, Some(&base))] {
        let directory = root.join(id);
        std::fs::create_dir(&directory).unwrap();
        std::fs::write(root.join("note"), id).unwrap();
        run(
            "tar",
            &[
                "-C",
                &root.display().to_string(),
                "-cf",
                &directory.join("layer.tar").display().to_string(),
                "note",
            ],
        );
        let json = serde_json::json!({
            "id": id, "parent": parent, "created": "2014-10-13T21:19:18Z", "architecture": "amd64", "os": "linux",
            "container_config": {"Cmd": ["/bin/sh", "-c", format!("#(nop) ADD {}", &id[..4])]},
            "config": {"User": "nobody", "Env": ["A=b"]},
        });
        std::fs::write(directory.join("json"), json.to_string()).unwrap();
    }
    std::fs::write(root.join("repositories"), format!(r#"{{"old/app":{{"1.0":"{top}"}}}}"#)).unwrap();
    let archive = root.join("old.tar");
    run(
        "tar",
        &[
            "-C",
            &root.display().to_string(),
            "-cf",
            &archive.display().to_string(),
            "repositories",
            &base,
            &top,
        ],
    );

    assert_eq!(
        Target::parse(&archive.display().to_string()).unwrap(),
        Target::Archive { path: archive.clone(), format: Some(ArchiveFormat::Docker), reference: None }
    );
    let image = open_archive(&archive, None, Some("old/app:1.0"), None, root).unwrap();
    assert_eq!(image.image.tags, ["old/app:1.0"]);
    assert_eq!(image.image.config.user, "nobody");
    assert_eq!(image.image.platform, "linux/amd64");
    for index in 0..2 {
        assert_eq!(sha256(&layer_bytes(&image, index)), image.image.layers[index].diff_id.to_string());
    }
    assert_eq!(image.image.layers[0].created_by, "/bin/sh -c #(nop) ADD bbbb");
    assert_eq!(image.image.layers[1].created_by, "/bin/sh -c #(nop) ADD cccc");
    assert_eq!(open_archive(&archive, None, Some("2.0"), None, root).unwrap_err().kind, ErrorKind::NotFound);
}

#[test]
fn a_tar_without_an_image_is_a_file() {
    if !have("a_tar_without_an_image_is_a_file", &["tar"]) {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path();
    std::fs::write(root.join("note"), "hello").unwrap();
    let archive = root.join("plain.tar");
    run("tar", &["-C", &root.display().to_string(), "-cf", &archive.display().to_string(), "note"]);
    assert_eq!(Target::parse(&archive.display().to_string()).unwrap(), Target::File(archive.clone()));
    let error = open_archive(&archive, None, None, None, root).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotAnImage);
    assert!(
        error.to_string().ends_with("the archive holds no image; use file: to scan what is in it"),
        "{error}"
    );
}

#[test]
fn blobs_that_are_links_are_read_and_named_for_the_sandbox() {
    if !have("blobs_that_are_links_are_read_and_named_for_the_sandbox", TOOLS) {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let layout = umoci_layout(scratch.path());
    let elsewhere = scratch.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let mut moved = Vec::new();
    for entry in std::fs::read_dir(layout.join("blobs/sha256")).unwrap() {
        let path = entry.unwrap().path();
        let target = elsewhere.join(path.file_name().unwrap());
        std::fs::rename(&path, &target).unwrap();
        std::os::unix::fs::symlink(&target, &path).unwrap();
        moved.push(target.canonicalize().unwrap());
    }
    let cache = yagura_collect::cache::Cache::open(&scratch.path().join("cache")).unwrap();
    let target = Target::parse(&layout.display().to_string()).unwrap();
    let fetched =
        yagura_collect::fetch(&target, &yagura_collect::FetchOptions::default(), &cache, &()).unwrap();
    let paths = fetched.read_paths(&cache);
    assert!(moved.iter().all(|path| paths.contains(&path.as_path())), "{paths:?}");
    let image = fetched.open_image(None, &cache).unwrap().unwrap();
    assert_eq!(
        sha256(&layer_bytes(&image, 1)),
        image.image.layers[1].blob_digest.as_ref().unwrap().to_string()
    );
}
