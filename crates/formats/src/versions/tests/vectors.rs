//! What the upstream projects' own tests and documents say, as rows of rising versions.
//!
//! `<` separates what is older from what is newer, `=` what is the same. Every pair of a row is compared, both ways.

use super::super::Order;
use super::super::npm::Range;

fn check(order: Order, rows: &[&str]) {
    for row in rows {
        // Rank of each version: equal versions share one.
        let ranked: Vec<(usize, &str)> = row
            .split(" < ")
            .enumerate()
            .flat_map(|(rank, group)| group.split(" = ").map(move |version| (rank, version)))
            .collect();
        for (rank_a, a) in &ranked {
            for (rank_b, b) in &ranked {
                assert_eq!(order.compare(a, b), rank_a.cmp(rank_b), "{order}: {a:?} and {b:?} of `{row}`");
            }
        }
    }
}

fn check_valid(order: Order, valid: &[&str], invalid: &[&str]) {
    for version in valid {
        assert!(order.is_valid(version), "{order}: {version:?}");
    }
    for version in invalid {
        assert!(!order.is_valid(version), "{order}: {version:?}");
    }
}

#[test]
fn dpkg() {
    check(
        Order::Dpkg,
        &[
            "0:0 = 0 = 0:0-0 = 00-00",
            "0:0-0 < 0:0-a < 0:0-b < 0:0-b1",
            "1.2.3~rc1-1 < 1.2.3-1 < 1.2.3-1+b1 < 1.2.3-1.1 < 1.2.3+dfsg-1",
            "1~~ < 1~~a < 1~ < 1 < 1a < 1+ < 1.",
            "2.0 < 1:1.0 < 2:0",
            "7.6-0 < 7.6p2-4",
            "0.4.23-0 < 0.4.23debian1 < 0.4.23.1",
            "1.9 < 1.10 < 99999999999999999999999 < 100000000000000000000000",
        ],
    );
    check_valid(
        Order::Dpkg,
        &["0", "1:1.0-1", "0:0:0-0", "1.0~rc1-1ubuntu0.1+esm1"],
        &["", "a1", "1 1", ":1", "1:", "-1", "1-", "1_1", "2147483648:1"],
    );
}

#[test]
fn rpm() {
    check(
        Order::Rpm,
        &[
            "1.0 < 2.0 < 2.0.1",
            "5.5p1 < 5.5p2 < 5.5p10",
            "10xyz < 10.1xyz",
            "xyz10 < xyz10.1",
            "xyz.4 < 2 < 2a < 6.0 < 6.0.rc1 < 8",
            "10a1 = 10.a.1 < 10b2",
            "1.0~rc1~git123 < 1.0~rc1 = 1.0_~rc1 < 1.0~rc2 < 1.0 < 1.0^ < 1.0^git1~pre < 1.0^git1 < 1.0^git2",
            "2_0 = 2.0 = 2+0",
            "1.0 < 1.0-1 < 1.0-1.el9 < 1.0-2 < 1:0.5-1",
            "0:1.0-1 = 1.0-1 = :1.0-1",
        ],
    );
}

#[test]
fn apk() {
    check(
        Order::Apk,
        &[
            "1.0_alpha < 1.0_alpha2 < 1.0_beta < 1.0_pre < 1.0_rc1 < 1.0 < 1.0-r1 < 1.0_cvs < 1.0_svn < 1.0_git < 1.0_hg < 1.0_p1 < 1.0a < 1.0.0",
            "1.0_p1_rc1 < 1.0_p1 < 1.0_p1-r1 < 1.0_p10",
            "0.2 < 0.10 < 0.12.1 < 1.1 < 1.1b < 2",
            "1.01 < 1.02 < 1.1 < 1.10",
            "1.0~0123abc < 1.0~0123abd",
            "3.0.12-r4 < 3.0.13-r0 < 3.1.0-r0",
            "5.9.2p1-r1 < 5.9.2p1-r2 < 5.9.2p2-r0",
        ],
    );
    check_valid(
        Order::Apk,
        &["1", "1.2.3a_rc1_p2~0a1b-r10", "20230506", "1.0-r0"],
        &["", "a", "1.", "1.0-r", "1.0-1", "1_foo", "1.0~", "1a2", "1-r1_p1"],
    );
}

#[test]
fn alpm() {
    check(
        Order::Alpm,
        &[
            "1.0a < 1.0alpha < 1.0b < 1.0beta < 1.0p < 1.0pre < 1.0rc < 1.0 < 1.0.a < 1.0.1",
            "1.5-1 < 1.5-2 < 1.5.1-1 < 1.5.2-1 < 1.6-1 < 0:2-1 < 1:1-1",
            "1.5b-1 < 1.5-1 < 1.5.b-1",
        ],
    );
}

#[test]
fn semver() {
    check(
        Order::Semver,
        &[
            "1.0.0-alpha < 1.0.0-alpha.1 < 1.0.0-alpha.beta < 1.0.0-beta < 1.0.0-beta.2 < 1.0.0-beta.11 < 1.0.0-rc.1 < 1.0.0",
            "1.2.3-4 < 1.2.3-5 < 1.2.3-5-Foo < 1.2.3-5-foo < 1.2.3 = v1.2.3 = =1.2.3 = 1.2.3+build",
            "1 = 1.0 = 1.0.0 = 01.0 < 1.0.0.1 < 1.0.1-beta = 1.0.1beta < 1.0.1",
            "not a version < 0",
        ],
    );
    check_valid(
        Order::Semver,
        &["1.2.3", "v1.2.3-a.b+c.01"],
        &["1.2", "01.2.3", "1.2.3-01", "1.2.3-", "1.2.3.4", ""],
    );
}

#[test]
fn pep440() {
    check(
        Order::Pep440,
        &[
            "1.0.dev456 < 1.0a1 < 1.0a2.dev456 < 1.0a12.dev456 < 1.0a12 < 1.0b1.dev456 < 1.0b2 < 1.0b2.post345.dev456 < \
             1.0b2.post345 < 1.0rc1.dev456 < 1.0rc1 < 1.0 < 1.0+abc.5 < 1.0+abc.7 < 1.0+5 < 1.0.post456.dev34 < \
             1.0.post456 < 1.0.15 < 1.1.dev1 < 1!0.1",
            "1.0a1 = 1.0.ALPHA-1 = v1.0_a.1 = 1.0-alpha1",
            "1.0rc0 = 1.0c = 1.0-pre = 1.0.preview",
            "1.0.post1 = 1.0-1 = 1.0-r1 = 1.0.rev1 < 1.0.post2",
            "1 = 1.0 = 1.0.0 = 0!1.0 = 01.00",
            "foobar < 2011g-dev < 2011g < 2011k < 0.0.dev0",
        ],
    );
}

#[test]
fn maven() {
    check(
        Order::Maven,
        &[
            "1-alpha2snapshot < 1-alpha2 < 1-alpha-123 < 1-beta-2 < 1-beta123 < 1-m2 < 1-m11 < 1-rc < 1-cr2 < 1-rc123 < 1-SNAPSHOT < 1 < 1-sp < 1-sp2 < 1-sp123 < 1-abc < 1-def < 1-pom-1 < 1-1-snapshot < 1-1 < 1-2 < 1-123",
            "2.0.a < 2-1 < 2.0.2 < 2.0.123 < 2.1.0",
            "1 = 1.0 = 1.0.0 = 1-0 = 1.0-0 = 1-ga = 1.final = 1-RELEASE",
            "1a1 = 1-alpha-1",
            "1x = 1.0.0-x = 1-x",
            "5.0.7 < 5.0.9.0.0",
            "20190126.230843 < 10000000000000000000000000",
        ],
    );
    check(Order::Maven, &["6.1.0rc3 < 6.1.0 < 6.1H.5-beta"]);
}

#[test]
fn gem() {
    check(
        Order::Gem,
        &[
            "1.0.0.a.1 < 1.0.0-1 < 1 = 1.0 = 1.0.0 = 1.0.00",
            "1.8.2.a < 1.8.2.a9 < 1.8.2.a10 < 1.8.2.b < 1.8.2",
            "5.0.0.rc2 = 5.rc2 < 5.x < 5.0",
            "0 < 1.0.pre = 1.pre = 1-0 < 1",
        ],
    );
    check_valid(
        Order::Gem,
        &["", "1", "1.2.rc1", "1.0-x-y.2", "2.0.0.pre.1"],
        &["a", "1..2", "1.", "1 2", "1.0+1"],
    );
}

#[test]
fn nuget() {
    check(
        Order::Nuget,
        &[
            "1.0.0-alpha = 1.0.0-ALPHA = 1.0.0.0-Alpha+meta < 1.0.0-beta < 1.0.0-beta.2 < 1.0.0-BETA.11 < 1.0.0-beta.x < 1.0.0 = 1 = 1.0.0.0",
            "1.0.0.1-a < 1.0.0.1 < 1.0.1",
            "1.0.0-2147483647 < 1.0.0-2147483648",
            "1.0.0-20210101120000 < 1.0.0-3000000000 < 1.0.0-a",
        ],
    );
    check_valid(
        Order::Nuget,
        &["1", "1.2.3.4", "1.0-a.01+b"],
        &["1.2.3.4.5", "a", "1.0-", "1.0-a..b", "2147483648.0"],
    );
}

#[test]
fn composer() {
    check(
        Order::Composer,
        &[
            "dev-feature < dev-master = master < 1.0-dev < 1.0-alpha1 = 1.0a1 < 1.0.0-alpha.2 < 1.0-beta < 1.0-RC1 = 1.0.rc1 < 1.0 = v1.0.0 = 1.0.0.0 = 1.0-stable = 1.0+build = 1.0@beta < 1.0-p1 = 1.0pl1 = 1.0-patch1 < 1.0.1",
            "1.9.9 < 1.x-dev = 1.*-dev < 2.0.0",
            "2.1.3 < 2.1.x-dev < 2.2.0",
            "2010.01.02 < 2010-01-03 < 20100102 < 20100102-203040",
        ],
    );
    check_valid(
        Order::Composer,
        &["1.0", "dev-x", "2.x-dev", "201903.0", "1.0 as 2.0"],
        &["", "a", "1.0-foo", "1.0.0.0.0"],
    );
}

#[test]
fn go() {
    check(
        Order::Go,
        &[
            "(devel) < v0.0.0-20190101000000-abcdefabcdef < v0.0.0-20200101000000-012345678901 < v0.0.0 < v1.2.3-pre < v1.2.3 = 1.2.3 = v1.2.3+incompatible < v1.2.4-0.20200101000000-012345678901 < v1.2.4",
            "v1 = v1.0 = v1.0.0",
            "1.20 = go1.20 = go1.20.0 < go1.20.1 < go1.21 < go1.21rc2 = 1.21rc2 = 1.21.0-rc.2 < go1.21rc10 < go1.21.0 = 1.21.0 < go1.21.5 = go1.21.5-vendor = 1.21.5 X:boringcrypto < go1.22.0",
            "go1.9beta1 < go1.9beta2 < go1.9rc1 < go1.9",
        ],
    );
    check_valid(
        Order::Go,
        &["v1.2.3", "1.2.3-pre", "go1.21rc2", "go1.22.1", "1.21"],
        &["(devel)", "", "devel go1.22-abc"],
    );
}

#[test]
fn pub_dev() {
    check(
        Order::Pub,
        &[
            "1.0.0-alpha < 1.0.0-alpha.1 < 1.0.0-beta.2 < 1.0.0-beta.11 < 1.0.0-rc.1 < 1.0.0-rc.1+build.1 < 1.0.0 < 1.0.0+0.3.7 < 1.3.7+build < 1.3.7+build.2.b8f12d7 < 1.3.7+build.11.e0f985a < 2.0.0",
        ],
    );
}

#[test]
fn numbers_only() {
    check(Order::Cran, &["letters < 0.1 < 0.1.0 < 0.9-9 = 0.9.9 < 1.0 < 1.0-0 < 1.0-1 < 1.10"]);
    check(Order::Hackage, &["1-2 < 0.1 < 1 < 1.0 < 1.0.0 < 1.0.1 < 1.10 < 2"]);
}

#[test]
fn conan() {
    check(
        Order::Conan,
        &[
            "1.0-alpha < 1.0-beta.2 < 1.0-beta.10 < 1.0 = 1 = 1.0.0 < 1.0+build1 < 1.0+build2 < 1.0.1",
            "1.1.1 < 1.1.1a < 1.1.1k < 3.0",
            "cci.20190101 < cci.20200101",
        ],
    );
}

#[test]
fn bitnami() {
    check(
        Order::Bitnami,
        &[
            "1.0.0-alpha < 1.0.0-rc5 < 1.0.0 = 1.0.0-0 < 1.0.0-1 < 1.0.0-2 = 1.0.0-2+metadata < 1.0.0-10 < 1.0.1 < 1.0.1-0.el8 < 1.0.1-10.el8",
        ],
    );
}

#[test]
fn julia() {
    check(
        Order::Julia,
        &[
            "1.2.3- < 1.2.3-1 < 1.2.3-a = 1.2.3a < 1.2.3 < 1.2.3+ < 1.2.3+0 < 1.2.3+1 < 1.2.3+a < 1.2.4 < 1.3 = 1.3.0",
        ],
    );
}

#[test]
fn conda() {
    check(
        Order::Conda,
        &[
            "0.4 = 0.4.0 < 0.4.1.rc = 0.4.1.RC < 0.4.1 < 0.5a1 < 0.5b3 < 0.5C1 < 0.5 < 0.9.6 < 0.960923 < 1.0 < 1.1dev1 < 1.1a1 < 1.1.0dev1 = 1.1.dev1 < 1.1.a1 < 1.1.0rc1 < 1.1.0 = 1.1 < 1.1.0post1 = 1.1.post1 < 1.1post1 < 1996.07.12 < 1!0.4.1 < 1!3.1.1.6 < 2!0.4.1",
            "1.0.1_ < 1.0.1a < 1.0.1b < 1.0.1",
            "1.0+local < 1.0 = 1.0+0 < 1.0+1",
        ],
    );
}

#[test]
fn generic() {
    check(
        Order::Generic,
        &[
            "master < 1.0-SNAPSHOT < 1.0-alpha < 1.0beta2 < 1.0-rc.1 = 1.0rc1 < 1.0~x < 1.0 = v1.0 = 1_0 < 1.0a < 1.0.1 < 1.0.10",
        ],
    );
}

#[test]
fn npm_ranges() {
    let inside = [
        ("1.0.0 - 2.0.0", "1.2.3"),
        ("^1.2.3+build", "1.3.0"),
        ("1.2.3pre+asdf - 2.4.3-pre+asdf", "1.2.3-pre.2"),
        ("*", "1.2.3"),
        ("", "1.0.0"),
        (">=1.0.0", "1.1.0"),
        ("0.1.20 || 1.2.4", "1.2.4"),
        ("2.x.x", "2.1.3"),
        ("1.2.x || 2.x", "2.1.3"),
        ("~> 1", "1.2.3"),
        ("~1.2.1 >=1.2.3", "1.2.3"),
        ("^0.0.1-alpha", "0.0.1-beta"),
        ("^1.2.0-alpha", "1.2.0-pre"),
        ("<=7.x", "7.9.9"),
        ("1 - 2", "2.9.9"),
    ];
    let outside = [
        ("1.0.0 - 2.0.0", "2.2.3"),
        ("^1.2.3", "1.2.3-beta"),
        ("^1.2", "1.1.9"),
        (">1.2", "1.3.0-beta"),
        ("~1.2.3", "1.3.0"),
        ("^0.0.1", "0.0.2-alpha"),
        ("*", "1.2.3-foo"),
        ("<1.2.3", "1.2.3-beta"),
        ("~1", "1.1.0-alpha"),
        (">=1.2.3-rc1", "1.2.4-rc1"),
        ("<x", "1.0.0"),
    ];
    for (range, version) in inside {
        assert!(Range::parse(range).unwrap().contains(version), "{version} in {range:?}");
    }
    for (range, version) in outside {
        assert!(!Range::parse(range).unwrap().contains(version), "{version} not in {range:?}");
    }
    assert!(Range::parse("^1.2").unwrap().contains_with_pre_releases("1.3.0-beta"));
    for text in ["latest", "1.2.3.4", "git+ssh://x", "^a", "99999999999999999999.1.1"] {
        assert!(Range::parse(text).is_err(), "{text}");
    }
}
