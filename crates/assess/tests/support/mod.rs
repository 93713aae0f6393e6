//! What the tests share: clusters from text.

use yagura_assess::kubernetes::Cluster;
use yagura_formats::document::yaml;

pub fn cluster(text: &str) -> Cluster {
    let mut cluster = Cluster::default();
    cluster.read("test.yaml", &yaml::parse(text));
    cluster.finish();
    cluster
}
