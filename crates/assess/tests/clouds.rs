//! Whole stacks on Azure and Google Cloud: the paths, and what edits change of them.

mod support;

use support::{cluster, finding, graph, image, terraform};
use yagura_assess::access::defaults;
use yagura_assess::graph::Sources;
use yagura_assess::paths::Rules;
use yagura_assess::profiles::Runtime;
use yagura_assess::risks::Assessment;
use yagura_model::Severity;
use yagura_model::risk::Risk;

const VECTOR: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";

fn risks(hcl: &str, manifests: &str, target: &str) -> Vec<Risk> {
    let (cluster, defaults, cloud, runtime) =
        (cluster(manifests), defaults(), terraform(hcl), Runtime::default());
    let rules = Rules::built_in().unwrap();
    let findings = [finding(target, "lib", Severity::Medium, VECTOR, true)];
    let targets = [image(target)];
    let sources = Sources {
        cluster: &cluster,
        default_roles: &defaults,
        powers: &[],
        cloud: &cloud,
        targets: &targets,
        findings: &findings,
        runtime: &runtime,
        from: &[],
    };
    Assessment::new(sources, &rules).risks().0
}

fn path(risk: &Risk) -> Vec<&str> {
    let first = risk.path.first().map(|hop| hop.from.label.as_str());
    first.into_iter().chain(risk.path.iter().map(|hop| hop.to.label.as_str())).collect()
}

fn about<'r>(risks: &'r [Risk], words: &str) -> Option<&'r Risk> {
    risks.iter().find(|risk| risk.title.contains(words))
}

const POD: &str = "
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: shop, labels: {app: api}}
spec: {serviceAccountName: api, containers: [{name: c, image: 'shop/api:1', ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {type: LoadBalancer, selector: {app: api}, ports: [{port: 80, targetPort: 8080}]}
";

const AZURE: &str = r#"
resource "azurerm_user_assigned_identity" "api" {
  name = "api"
}
resource "azurerm_federated_identity_credential" "api" {
  name      = "api"
  parent_id = azurerm_user_assigned_identity.api.id
  issuer    = "https://oidc.example/"
  subject   = "system:serviceaccount:shop:api"
  audience  = ["api://AzureADTokenExchange"]
}
resource "azurerm_storage_account" "orders" {
  name                            = "orders"
  allow_nested_items_to_be_public = false
}
resource "azurerm_role_assignment" "api" {
  scope                = azurerm_storage_account.orders.id
  role_definition_name = "Storage Blob Data Reader"
  principal_id         = azurerm_user_assigned_identity.api.principal_id
}
resource "azurerm_subnet" "web" {
  name = "web"
}
resource "azurerm_public_ip" "jump" {
  name              = "jump"
  allocation_method = "Static"
}
resource "azurerm_network_interface" "jump" {
  name = "jump"
  ip_configuration {
    subnet_id            = azurerm_subnet.web.id
    public_ip_address_id = azurerm_public_ip.jump.id
  }
}
resource "azurerm_linux_virtual_machine" "jump" {
  name                  = "jump"
  network_interface_ids = [azurerm_network_interface.jump.id]
}
resource "azurerm_network_security_group" "web" {
  name = "web"
  security_rule {
    name                       = "ssh"
    priority                   = 200
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "Tcp"
    destination_port_range     = "22"
    source_address_prefix      = "*"
  }
}
resource "azurerm_subnet_network_security_group_association" "web" {
  subnet_id                 = azurerm_subnet.web.id
  network_security_group_id = azurerm_network_security_group.web.id
}
"#;

#[test]
fn azure_a_pods_identity_leads_to_a_storage_account() {
    let before = risks(AZURE, POD, "shop/api:1");
    let risk = about(&before, "lib").unwrap();
    assert_eq!(
        path(risk),
        [
            "the internet",
            "service shop/api",
            "shop/api[Pod]",
            "shop/api[Pod]",
            "service account shop/api",
            "identity api",
            "storage-account orders"
        ]
        .into_iter()
        .collect::<Vec<_>>()
    );
    let facts: Vec<&str> =
        risk.path.iter().flat_map(|hop| &hop.evidence).map(|proof| proof.fact.as_str()).collect();
    assert!(facts.contains(&"identity api has the role Storage Blob Data Reader on it"), "{facts:?}");
    // Another service account's credential, and a role that reads nothing.
    let other = risks(&AZURE.replace("shop:api", "shop:other"), POD, "shop/api:1");
    assert_ne!(path(about(&other, "lib").unwrap()).last(), Some(&"storage-account orders"));
    let reader = risks(&AZURE.replace("Storage Blob Data Reader", "Reader"), POD, "shop/api:1");
    assert_ne!(path(about(&reader, "lib").unwrap()).last(), Some(&"storage-account orders"));
    let owner = AZURE
        .replace("azurerm_storage_account.orders.id\n  role", "data.azurerm_subscription.this.id\n  role")
        .replace("Storage Blob Data Reader", "Owner");
    assert_eq!(
        path(about(&risks(&owner, POD, "shop/api:1"), "lib").unwrap()).last(),
        Some(&"the Azure subscription")
    );
}

#[test]
fn azure_security_rules_decide_by_their_priority() {
    let from = |hcl: &str| {
        let graph = &graph("", hcl).graph;
        let machine = graph.nodes().find(|node| graph.label(*node) == "virtual-machine jump").unwrap();
        let facts: Vec<String> = graph
            .incoming(machine)
            .map(|edge| format!("{}: {}", graph.label(graph.from(edge)), graph.fact(edge)))
            .collect();
        facts
    };
    let open = from(AZURE);
    assert_eq!(
        open,
        ["the internet: jump has a public address; network security group web lets everybody in on 22 (ssh)"]
    );
    let denied = AZURE.replace("  name = \"web\"\n  security_rule {", "  name = \"web\"\n  security_rule {\n    name = \"no\"\n    priority = 100\n    direction = \"Inbound\"\n    access = \"Deny\"\n    protocol = \"*\"\n    destination_port_range = \"*\"\n    source_address_prefix = \"Internet\"\n  }\n  security_rule {");
    assert!(from(&denied).is_empty());
    assert!(
        from(
            &AZURE
                .replace("source_address_prefix      = \"*\"", "source_address_prefix      = \"10.0.0.0/8\"")
        )
        .is_empty()
    );
    // Without any group it is not known.
    let free = AZURE.replace(
        "subnet_id                 = azurerm_subnet.web.id",
        "subnet_id                 = azurerm_subnet.other.id",
    );
    assert!(from(&free)[0].starts_with("somebody outside"), "{:?}", from(&free));
}

const GCP: &str = r#"
resource "google_service_account" "intake" {
  account_id = "intake"
}
resource "google_service_account" "archive" {
  account_id = "archive"
}
resource "google_cloud_run_v2_service" "intake" {
  name = "intake"
  template {
    service_account = google_service_account.intake.email
    containers {
      image = "run/intake:1"
    }
  }
}
resource "google_cloud_run_v2_service_iam_member" "everybody" {
  name   = google_cloud_run_v2_service.intake.name
  role   = "roles/run.invoker"
  member = "allUsers"
}
resource "google_service_account_iam_member" "intake" {
  service_account_id = google_service_account.archive.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = "serviceAccount:${google_service_account.intake.email}"
}
resource "google_storage_bucket" "vault" {
  name = "vault"
}
resource "google_storage_bucket_iam_member" "archive" {
  bucket = google_storage_bucket.vault.name
  role   = "roles/storage.objectViewer"
  member = "serviceAccount:${google_service_account.archive.email}"
}
resource "google_compute_network" "main" {
  name = "main"
}
resource "google_compute_firewall" "ssh" {
  name          = "ssh"
  network       = google_compute_network.main.name
  source_ranges = ["0.0.0.0/0"]
  target_tags   = ["jump"]
  allow {
    protocol = "tcp"
    ports    = ["22"]
  }
}
resource "google_compute_instance" "jump" {
  name = "jump"
  tags = ["jump"]
  network_interface {
    network = google_compute_network.main.name
    access_config {}
  }
}
"#;

#[test]
fn gcp_a_service_leads_over_another_account_to_a_bucket() {
    let before = risks(GCP, "", "run/intake:1");
    let risk = about(&before, "lib").unwrap();
    assert_eq!(
        path(risk),
        [
            "the internet",
            "run-service intake",
            "run-service intake",
            "service account intake of Google Cloud",
            "service account archive of Google Cloud",
            "bucket vault"
        ]
    );
    for (from, to) in [
        ("roles/iam.serviceAccountTokenCreator", "roles/viewer"),
        ("roles/storage.objectViewer", "roles/viewer"),
    ] {
        let after = risks(&GCP.replace(from, to), "", "run/intake:1");
        let after = about(&after, "lib").unwrap();
        assert!(after.score < risk.score && path(after).last() != Some(&"bucket vault"), "{from}");
    }
    let closed = risks(&GCP.replace("\"allUsers\"", "\"user:ann@example.com\""), "", "run/intake:1");
    assert!(about(&closed, "lib").unwrap().path.is_empty());
    let public = GCP.replace("\"serviceAccount:${google_service_account.archive.email}\"", "\"allUsers\"");
    assert!(about(&risks(&public, "", "run/intake:1"), "Anybody on the internet reads a bucket").is_some());
    let project = GCP.to_owned()
        + "resource \"google_project_iam_member\" \"owner\" {\n  project = \"p\"\n  role = \"roles/owner\"\n  member = \"serviceAccount:${google_service_account.archive.email}\"\n}\n";
    assert_eq!(
        path(about(&risks(&project, "", "run/intake:1"), "lib").unwrap()).last(),
        Some(&"the Google Cloud project")
    );
}

#[test]
fn gcp_firewalls_decide_by_priority_and_tags() {
    let open = |hcl: &str| {
        about(&risks(hcl, "", "run/intake:1"), "instance jump").is_some() || {
            let graph = &graph("", hcl).graph;
            let machine = graph.nodes().find(|node| graph.label(*node) == "instance jump").unwrap();
            graph.incoming(machine).any(|edge| graph.label(graph.from(edge)) == "the internet")
        }
    };
    assert!(open(GCP));
    assert!(!open(&GCP.replace("target_tags   = [\"jump\"]", "target_tags   = [\"web\"]")));
    let denied = GCP.to_owned()
        + "resource \"google_compute_firewall\" \"no\" {\n  name = \"no\"\n  network = google_compute_network.main.name\n  priority = 10\n  source_ranges = [\"0.0.0.0/0\"]\n  deny {\n    protocol = \"all\"\n  }\n}\n";
    assert!(!open(&denied));
    assert!(!open(&GCP.replace("    access_config {}\n", "")));
}

#[test]
fn gcp_workload_identity_needs_its_binding() {
    let hcl = r#"
resource "google_service_account" "api" {
  account_id = "api"
}
resource "google_service_account_iam_member" "api" {
  service_account_id = google_service_account.api.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:shop-1.svc.id.goog[shop/api]"
}
resource "google_secret_manager_secret" "token" {
  secret_id = "token"
}
resource "google_secret_manager_secret_iam_member" "api" {
  secret_id = google_secret_manager_secret.token.id
  role      = "roles/secretmanager.secretAccessor"
  member    = "serviceAccount:${google_service_account.api.email}"
}
"#;
    let found = risks(hcl, POD, "shop/api:1");
    let account = "service account api of Google Cloud";
    assert!(path(about(&found, "lib").unwrap()).contains(&account));
    let unbound = risks(&hcl.replace("[shop/api]", "[shop/other]"), POD, "shop/api:1");
    assert!(!path(about(&unbound, "lib").unwrap()).contains(&account));
}

const RDS: &str = r#"
resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}
resource "aws_subnet" "inside" {
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.0.1.0/24"
}
resource "aws_security_group" "pods" {
  name   = "pods"
  vpc_id = aws_vpc.main.id
}
resource "aws_eks_cluster" "shop" {
  name = "shop"
  vpc_config {
    subnet_ids         = [aws_subnet.inside.id]
    security_group_ids = [aws_security_group.pods.id]
  }
}
resource "aws_security_group" "data" {
  name   = "data"
  vpc_id = aws_vpc.main.id
  ingress {
    from_port       = 5432
    to_port         = 5432
    protocol        = "tcp"
    security_groups = [aws_security_group.pods.id]
  }
}
resource "aws_db_instance" "orders" {
  identifier             = "orders"
  vpc_security_group_ids = [aws_security_group.data.id]
}
"#;

#[test]
fn aws_a_pod_with_a_secret_reaches_a_database_by_its_security_group() {
    let pod = POD.replace(
        "containers: [{name: c,",
        "containers: [{name: c, envFrom: [{secretRef: {name: database}}],",
    );
    let last = |hcl: &str, manifests: &str| {
        let found = risks(hcl, manifests, "shop/api:1");
        path(about(&found, "lib").unwrap()).last().map(|label| (*label).to_owned())
    };
    let database = Some("rds-instance orders".to_owned());
    assert_ne!(
        last(
            &RDS.replace(
                "security_groups = [aws_security_group.pods.id]",
                "cidr_blocks = [\"203.0.113.0/24\"]"
            ),
            &pod
        ),
        database
    );
    assert_ne!(last(RDS, POD), database, "without a secret there is nothing to log in with");
    let by_network =
        RDS.replace("security_groups = [aws_security_group.pods.id]", "cidr_blocks = [\"10.0.0.0/8\"]");
    let facts = |hcl: &str| -> Vec<String> {
        let stack = graph(&pod, hcl);
        let graph = &stack.graph;
        let orders = graph.nodes().find(|node| graph.label(*node) == "rds-instance orders").unwrap();
        graph.incoming(orders).map(|edge| graph.fact(edge).to_owned()).collect()
    };
    assert_eq!(facts(RDS), ["security group data lets members of pods in on port 5432"]);
    assert_eq!(facts(&by_network), ["security group data lets 10.0.0.0/8 in on port 5432"]);
    assert_eq!(last(RDS, &pod), database);
}
