use super::*;

fn digest(byte: u8) -> Digest {
    Digest::from_bytes(yagura_model::digest::Algorithm::Sha256, &[byte; 32]).unwrap()
}

fn manifest_json(layers: &[u8]) -> String {
    let layers: Vec<String> = layers
        .iter()
        .map(|byte| {
            format!(
                r#"{{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"{}","size":7}}"#,
                digest(*byte)
            )
        })
        .collect();
    format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
            "config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{}","size":2}},
            "layers":[{}],"annotations":{{"org.opencontainers.image.base.name":"debian:12"}}}}"#,
        digest(9),
        layers.join(",")
    )
}

fn config_json() -> String {
    format!(
        r##"{{"created":"2026-01-02T03:04:05Z","architecture":"arm64","os":"linux","variant":"v8",
            "config":{{"User":"app","Env":["A=b"],"Entrypoint":["/bin/x"],"Cmd":null,
              "ExposedPorts":{{"80/tcp":{{}}}},"Volumes":null,"WorkingDir":"/w","Labels":{{"k":"v"}},
              "Healthcheck":{{"Test":["CMD","true"]}},"OnBuild":null}},
            "rootfs":{{"type":"layers","diff_ids":["{}","{}"]}},
            "history":[{{"created_by":"ADD rootfs"}},{{"created_by":"CMD [\"sh\"]","empty_layer":true}},
              {{"created_by":"RUN apt-get install x"}}]}}"##,
        digest(1),
        digest(2)
    )
}

#[test]
fn describes_an_image_and_gives_each_layer_its_instruction() {
    let manifest = parse_manifest(manifest_json(&[3, 4]).as_bytes()).unwrap();
    manifest.check_is_image().unwrap();
    let configuration = parse_config(config_json().as_bytes()).unwrap();
    let image =
        describe(Some((&digest(8), &manifest)), Some(digest(9)), &configuration, vec!["x:1".into()]).unwrap();
    assert_eq!(image.platform, "linux/arm64");
    assert_eq!(image.config.exposed_ports, ["80/tcp"]);
    assert!(image.config.cmd.is_empty() && image.config.healthcheck);
    let layers: Vec<_> =
        image.layers.iter().map(|l| (l.blob_digest.clone(), l.created_by.as_str())).collect();
    assert_eq!(layers, [(Some(digest(3)), "ADD rootfs"), (Some(digest(4)), "RUN apt-get install x")]);
    // The label names the base, the history says where it ends.
    let base = image.base.unwrap();
    assert_eq!((base.reference.as_str(), base.layers, base.known_by), ("debian:12", 1, BaseEvidence::Label));
    assert_eq!(image.layers[0].from_base_image, Some(true));
    assert_eq!(image.layers[1].from_base_image, Some(false));
}

#[test]
fn a_base_ends_with_the_last_command_that_layers_follow() {
    let mut configuration = parse_config(config_json().as_bytes()).unwrap();
    let layer = |text: &str| History { created_by: text.into(), ..History::default() };
    let command = |text: &str| History { empty_layer: true, ..layer(text) };
    for (history, expected) in [
        (vec![layer("ADD"), command("CMD [\"sh\"]"), layer("RUN"), command("CMD [\"app\"]")], 1),
        (vec![layer("ADD"), layer("RUN"), command("CMD [\"app\"]")], 0),
        (vec![layer("ADD"), command("/bin/sh -c #(nop)  CMD [\"sh\"]"), layer("COPY")], 1),
        (vec![layer("ADD"), command("ENV A=b"), layer("COPY")], 0),
        (vec![layer("ADD"), command("CMD [\"sh\"]")], 0),
    ] {
        configuration.history = history;
        assert_eq!(configuration.layers_below_last_command(), expected, "{:?}", configuration.history);
    }
}

#[test]
fn refuses_a_configuration_with_another_number_of_layers() {
    let manifest = parse_manifest(manifest_json(&[3]).as_bytes()).unwrap();
    let configuration = parse_config(config_json().as_bytes()).unwrap();
    let error = describe(Some((&digest(8), &manifest)), None, &configuration, Vec::new()).unwrap_err();
    assert_eq!(error, ImageError::LayerCount { diff_ids: 2, layers: 1 });
}

#[test]
fn a_history_that_does_not_fit_blames_no_instruction() {
    let mut configuration = parse_config(config_json().as_bytes()).unwrap();
    configuration.history.remove(0);
    assert!(configuration.instructions().is_empty());
}

#[test]
fn marks_the_layers_of_the_base() {
    let configuration = parse_config(config_json().as_bytes()).unwrap();
    let mut image = describe(None, None, &configuration, Vec::new()).unwrap();
    assert!(!mark_base(&mut image, "other", &[digest(2)], BaseEvidence::Given));
    assert!(!mark_base(&mut image, "itself", &[digest(1), digest(2)], BaseEvidence::DigestChain));
    assert!(mark_base(&mut image, "debian:12", &[digest(1)], BaseEvidence::Given));
    let marks: Vec<_> = image.layers.iter().map(|layer| layer.from_base_image).collect();
    assert_eq!(marks, [Some(true), Some(false)]);
}

#[test]
fn tells_documents_apart_and_refuses_ambiguous_ones() {
    let index = format!(
        r#"{{"schemaVersion":2,"manifests":[
            {{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{}","size":1,
              "platform":{{"architecture":"unknown","os":"unknown"}}}},
            {{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{}","size":1,
              "platform":{{"architecture":"arm","os":"linux","variant":"v6"}}}},
            {{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{}","size":1,
              "platform":{{"architecture":"arm","os":"linux","variant":"v7"}}}},
            {{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{}","size":1,
              "platform":{{"architecture":"arm64","os":"linux","variant":"v8"}}}}]}}"#,
        digest(1),
        digest(2),
        digest(3),
        digest(4)
    );
    let parsed = parse_index(index.as_bytes()).unwrap();
    assert_eq!(parsed.images().count(), 3);
    let chosen = |platform: &str| parsed.choose(&platform.parse().unwrap()).map(|d| d.digest.clone());
    assert_eq!(chosen("linux/aarch64"), Some(digest(4)));
    assert_eq!(chosen("linux/arm/v8"), Some(digest(3)));
    assert_eq!(chosen("arm/v6"), None);
    assert_eq!(chosen("linux/arm/v6"), Some(digest(2)));
    assert_eq!(chosen("linux/amd64"), None);

    let both = manifest_json(&[1]).replacen("{", r#"{"manifests":[],"#, 1);
    for refused in
        [both, index.replacen("{", r#"{"mediaType":"application/vnd.oci.image.manifest.v1+json","#, 1)]
    {
        assert!(matches!(parse_document(refused.as_bytes()), Err(ImageError::Malformed { .. })), "{refused}");
    }
    assert_eq!(parse_document(br#"{"schemaVersion":1,"fsLayers":[]}"#), Err(ImageError::SchemaOne));
}

#[test]
fn names_what_is_no_image() {
    let chart = manifest_json(&[1])
        .replace("application/vnd.oci.image.config.v1+json", "application/vnd.cncf.helm.config.v1+json");
    let error = parse_manifest(chart.as_bytes()).unwrap().check_is_image().unwrap_err();
    assert_eq!(
        error.to_string(),
        "not a container image but an artifact of type `application/vnd.cncf.helm.config.v1+json`"
    );
}

#[test]
fn reads_the_table_of_a_docker_archive() {
    let json = br#"[{"Config":"c.json","RepoTags":null,"Layers":["a/layer.tar","b/layer.tar"]}]"#;
    let images = parse_archive_manifest(json).unwrap();
    assert_eq!(images[0].layers, ["a/layer.tar", "b/layer.tar"]);
    assert!(parse_archive_manifest(b"{}").is_err());
}

#[test]
fn knows_the_forms_of_layers() {
    let form = |media_type: &str| {
        let json = format!(r#"{{"mediaType":"{media_type}","digest":"{}","size":1}}"#, digest(1));
        serde_json::from_str::<Descriptor>(&json).unwrap().layer_form()
    };
    for (media_type, expected) in [
        ("application/vnd.oci.image.layer.v1.tar+zstd", LayerForm::Tar),
        ("application/vnd.docker.image.rootfs.diff.tar.gzip", LayerForm::Tar),
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", LayerForm::Foreign),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar", LayerForm::Foreign),
        ("application/vnd.oci.image.layer.v1.tar+gzip+encrypted", LayerForm::Encrypted),
        ("application/wasm", LayerForm::Other),
    ] {
        assert_eq!(form(media_type), expected, "{media_type}");
    }
}

#[test]
fn bounds_are_held() {
    let large = vec![b' '; MAX_MANIFEST_BYTES + 1];
    assert!(matches!(parse_document(&large), Err(ImageError::TooLarge { .. })));
    let layers = vec![1u8; MAX_LAYERS + 1];
    assert_eq!(
        parse_document(manifest_json(&layers).as_bytes()),
        Err(ImageError::TooManyLayers(MAX_LAYERS + 1))
    );
}
