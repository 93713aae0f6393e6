//! Images from a real podman service and a real containerd, each with storage of its own.

mod support;

use std::path::Path;
use std::process::Command;

use support::services::Service;
use support::{have, layer_bytes, run, sha256, umoci_layout};
use yagura_collect::cache::Cache;
use yagura_collect::image::{open_directory, parse_platform};
use yagura_collect::runtime::RuntimeSettings;
use yagura_collect::{ErrorKind, FetchOptions, Fetched, ImageHandle, Result, Target, fetch};

fn options(socket: &Path) -> FetchOptions {
    let runtime = RuntimeSettings {
        address: Some(format!("unix://{}", socket.display())),
        ..RuntimeSettings::default()
    };
    FetchOptions { runtime, ..FetchOptions::default() }
}

fn open(target: &str, options: &FetchOptions, cache: &Cache) -> Result<(Fetched, ImageHandle)> {
    let fetched = fetch(&Target::parse(target).unwrap(), options, cache, &())?;
    let image = fetched.open_image(options.platform.as_ref(), cache).unwrap()?;
    Ok((fetched, image))
}

fn same_files(image: &ImageHandle, expected: &ImageHandle) {
    let diff_ids = |image: &ImageHandle| {
        image.image.layers.iter().map(|layer| layer.diff_id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(diff_ids(image), diff_ids(expected));
    for (index, layer) in image.image.layers.iter().enumerate() {
        let stored = layer.blob_digest.as_ref().unwrap_or(&layer.diff_id);
        assert_eq!(sha256(&layer_bytes(image, index)), stored.to_string());
    }
}

#[test]
fn podman_saves_an_image_through_its_socket() {
    if !have("podman_saves_an_image_through_its_socket", &["podman", "skopeo", "umoci", "sha256sum", "runc"])
    {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path();
    let layout = umoci_layout(root);
    let (storage, state, socket) = (root.join("storage"), root.join("state"), root.join("podman.sock"));
    let podman = || {
        let mut command = Command::new("podman");
        command.arg("--root").arg(&storage).arg("--runroot").arg(&state);
        command.args(["--storage-driver", "vfs", "--runtime", "runc", "--cgroup-manager", "cgroupfs"]);
        command
    };
    let archive = root.join("image.tar");
    run(
        "skopeo",
        &[
            "copy",
            "-q",
            &format!("oci:{}:v1", layout.display()),
            &format!("docker-archive:{}:localhost/team/app:v1", archive.display()),
        ],
    );
    let loaded = podman().args(["load", "-q", "-i"]).arg(&archive).output().unwrap();
    assert!(loaded.status.success(), "{}", String::from_utf8_lossy(&loaded.stderr));
    let mut command = podman();
    command.args(["system", "service", "-t", "0"]).arg(format!("unix://{}", socket.display()));
    let mut service = Service::start(&mut command, &root.join("podman.log"));
    service.wait_until(|| std::os::unix::net::UnixStream::connect(&socket).is_ok());

    let cache = Cache::open(&root.join("cache")).unwrap();
    let options = options(&socket);
    let expected = open_directory(&layout, None, None).unwrap();
    let (fetched, image) = open("podman:localhost/team/app:v1", &options, &cache).unwrap();
    same_files(&image, &expected);
    assert_eq!(image.image.tags, ["localhost/team/app:v1"]);
    let id = image.image.config_digest.clone().unwrap();
    drop(fetched);
    assert_eq!(std::fs::read_dir(cache.temporary_directory()).unwrap().count(), 0);

    // Docker's API is the same; an id has no name, so the names come from the description.
    let (_fetched, by_id) = open(&format!("docker:{}", id.hex()), &options, &cache).unwrap();
    assert_eq!(by_id.image.tags, ["localhost/team/app:v1"]);
    // A bare reference is found in a runtime before any registry is asked.
    let (fetched, _) = open("localhost/team/app:v1", &options, &cache).unwrap();
    assert!(matches!(fetched, Fetched::Saved(_)));

    let error = open("podman:localhost/team/other", &options, &cache).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound, "{error}");
    assert!(error.to_string().starts_with("podman has no image `localhost/team/other`; pull it"), "{error}");
}

#[test]
fn containerd_hands_over_its_content() {
    if !have("containerd_hands_over_its_content", &["containerd", "ctr", "skopeo", "umoci", "sha256sum"]) {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path();
    let layout = umoci_layout(root);
    let socket = root.join("containerd.sock");
    let config = root.join("containerd.toml");
    std::fs::write(
        &config,
        format!(
            "version = 2\nroot = \"{}\"\nstate = \"{}\"\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\", \
             \"io.containerd.internal.v1.opt\"]\n[grpc]\n  address = \"{}\"\n[ttrpc]\n  address = \"{}\"\n",
            root.join("content").display(),
            root.join("state").display(),
            socket.display(),
            root.join("ttrpc.sock").display(),
        ),
    )
    .unwrap();
    let mut command = Command::new("containerd");
    command.arg("--config").arg(&config);
    let mut service = Service::start(&mut command, &root.join("containerd.log"));
    service.wait_until(|| std::os::unix::net::UnixStream::connect(&socket).is_ok());
    let archive = root.join("image.tar");
    run(
        "skopeo",
        &[
            "copy",
            "-q",
            &format!("oci:{}:v1", layout.display()),
            &format!("oci-archive:{}:docker.io/team/app:v1", archive.display()),
        ],
    );
    run(
        "ctr",
        &[
            "--address",
            &socket.display().to_string(),
            "--namespace",
            "k8s.io",
            "images",
            "import",
            "--no-unpack",
            "--all-platforms",
            &archive.display().to_string(),
        ],
    );

    let cache = Cache::open(&root.join("cache")).unwrap();
    let mut options = options(&socket);
    let expected = open_directory(&layout, None, None).unwrap();
    // Found by its short name, in the namespace of Kubernetes.
    let (_, image) = open("containerd:team/app:v1", &options, &cache).unwrap();
    same_files(&image, &expected);
    assert_eq!(image.image.manifest_digest, expected.image.manifest_digest);
    assert_eq!(image.image.tags, ["docker.io/team/app:v1"]);

    options.platform = Some(parse_platform("linux/s390x").unwrap());
    assert!(open("containerd:team/app:v1", &options, &cache).is_err());
    options.platform = None;
    options.runtime.namespaces = vec!["default".into()];
    let error = open("containerd:team/app:v1", &options, &cache).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert_eq!(error.to_string(), "containerd has no image `team/app:v1`; looked in the namespaces default");
}

#[test]
fn a_runtime_that_is_not_there_is_told() {
    let scratch = tempfile::tempdir().unwrap();
    let cache = Cache::open(&scratch.path().join("cache")).unwrap();
    let options = options(&scratch.path().join("none.sock"));
    for scheme in ["docker", "podman", "containerd"] {
        let error = open(&format!("{scheme}:app"), &options, &cache).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unreachable, "{error}");
        assert!(error.to_string().starts_with(&format!("{scheme} does not answer on ")), "{error}");
    }
    let offline = FetchOptions { offline: true, ..options };
    assert_eq!(open("registry:registry.example/app", &offline, &cache).unwrap_err().kind, ErrorKind::Refused);
}
