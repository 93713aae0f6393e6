//! Functions against the results that Terraform's documentation states for them.

use super::all;
use crate::cloud::tests::{shown, terraform};

const DOCUMENTED: &[(&str, &str)] = &[
    ("abs(-12.4)", "12.4"),
    ("ceil(5.1)", "6"),
    ("floor(4.9)", "4"),
    ("log(16, 2)", "4"),
    ("max(12, 54, 3)", "54"),
    ("min(12, 54, 3)", "3"),
    ("parseint(\"FF\", 16)", "255"),
    ("parseint(\"-10\", 2)", "-2"),
    ("parseint(\"1011111011101111\", 2)", "48879"),
    ("parseint(\"aA\", 62)", "656"),
    ("pow(3, 2)", "9"),
    ("pow(4, 0)", "1"),
    ("signum(-13)", "-1"),
    ("sum([10, 13, 6, 4.5])", "33.5"),
    ("chomp(\"hello\\r\\n\\n\")", "\"hello\""),
    ("endswith(\"hello world\", \"world\")", "true"),
    ("startswith(\"hello world\", \"world\")", "false"),
    ("strcontains(\"hello world\", \"wor\")", "true"),
    ("format(\"Hello, %s!\", \"Ander\")", "\"Hello, Ander!\""),
    ("format(\"There are %d lights\", 4)", "\"There are 4 lights\""),
    ("format(\"%#v\", {a = [1, \"b\", true]})", "\"{\\\"a\\\":[1,\\\"b\\\",true]}\""),
    (
        "format(\"%05d|%-5s|%5.1f|%x|%q|%t|%%|%e\", 42, \"ab\", 3.14159, 255, \"q\", true, 1500)",
        "\"00042|ab   |  3.1|ff|\\\"q\\\"|true|%|1.500000e+03\"",
    ),
    ("format(\"%[2]s %[1]s\", \"a\", \"b\")", "\"b a\""),
    ("formatlist(\"Hello, %s!\", [\"Valentina\", \"Ander\"])", "[\"Hello, Valentina!\", \"Hello, Ander!\"]"),
    (
        "formatlist(\"%s, %s!\", \"Salutations\", [\"V\", \"A\"])",
        "[\"Salutations, V!\", \"Salutations, A!\"]",
    ),
    ("indent(2, \"[\\n  foo,\\n]\")", "\"[\\n    foo,\\n  ]\""),
    ("join(\"-\", [\"foo\", \"bar\", \"baz\"])", "\"foo-bar-baz\""),
    ("lower(\"HELLO\")", "\"hello\""),
    ("upper(\"hello\")", "\"HELLO\""),
    ("title(\"hello world\")", "\"Hello World\""),
    ("regex(\"[a-z]+\", \"53453453.345345aaabbbccc23454\")", "\"aaabbbccc\""),
    (
        "regex(\"(\\\\d\\\\d\\\\d\\\\d)-(\\\\d\\\\d)-(\\\\d\\\\d)\", \"2019-02-01\")",
        "[\"2019\", \"02\", \"01\"]",
    ),
    (
        "regex(\"^(?:(?P<scheme>[^:/?#]+):)?(?://(?P<authority>[^/?#]*))?\", \"https://terraform.io/docs/\")",
        "{authority: \"terraform.io\", scheme: \"https\"}",
    ),
    ("regexall(\"[a-z]+\", \"1234abcd5678efgh9\")", "[\"abcd\", \"efgh\"]"),
    ("length(regexall(\"[a-z]+\", \"123456789\"))", "0"),
    ("replace(\"1 + 2 + 3\", \"+\", \"-\")", "\"1 - 2 - 3\""),
    ("replace(\"hello world\", \"/w.*d/\", \"everybody\")", "\"hello everybody\""),
    ("split(\",\", \"foo,bar,baz\")", "[\"foo\", \"bar\", \"baz\"]"),
    ("split(\",\", \"\")", "[]"),
    ("strrev(\"hello\")", "\"olleh\""),
    ("substr(\"hello world\", 1, 4)", "\"ello\""),
    ("substr(\"hello world\", -5, -1)", "\"world\""),
    ("trim(\"?!hello?!\", \"!?\")", "\"hello\""),
    ("trimprefix(\"helloworld\", \"hello\")", "\"world\""),
    ("trimsuffix(\"helloworld\", \"world\")", "\"hello\""),
    ("trimspace(\"  hello\\n\\n\")", "\"hello\""),
    ("alltrue([\"true\", true])", "true"),
    ("alltrue([])", "true"),
    ("anytrue([true, false])", "true"),
    ("anytrue([])", "false"),
    ("chunklist([\"a\", \"b\", \"c\"], 2)", "[[\"a\", \"b\"], [\"c\"]]"),
    ("coalesce(\"\", \"b\")", "\"b\""),
    ("coalescelist([], [\"c\", \"d\"])", "[\"c\", \"d\"]"),
    ("compact([\"a\", \"\", \"b\", null, \"c\"])", "[\"a\", \"b\", \"c\"]"),
    ("concat([\"a\", \"\"], [\"b\", \"c\"])", "[\"a\", \"\", \"b\", \"c\"]"),
    ("contains([\"a\", \"b\"], \"d\")", "false"),
    ("distinct([\"a\", \"b\", \"a\", \"c\"])", "[\"a\", \"b\", \"c\"]"),
    ("element([\"a\", \"b\", \"c\"], 3)", "\"a\""),
    ("element([\"a\", \"b\", \"c\"], -1)", "\"c\""),
    ("flatten([[\"a\", \"b\"], [], [[\"c\"]]])", "[\"a\", \"b\", \"c\"]"),
    ("index([\"a\", \"b\", \"c\"], \"b\")", "1"),
    ("keys({a = 1, c = 2, d = 3})", "[\"a\", \"c\", \"d\"]"),
    ("length({a = \"b\"})", "1"),
    ("length(\"hello\")", "5"),
    ("lookup({a = \"ay\", b = \"bee\"}, \"c\", \"what?\")", "\"what?\""),
    (
        "matchkeys([\"i-1\", \"i-2\", \"i-3\"], [\"us-west\", \"us-east\", \"us-east\"], [\"us-east\"])",
        "[\"i-2\", \"i-3\"]",
    ),
    ("merge({a = \"b\", c = \"d\"}, {e = \"f\", c = \"z\"})", "{a: \"b\", c: \"z\", e: \"f\"}"),
    ("one([\"hello\"])", "\"hello\""),
    ("one([])", "null"),
    ("range(3)", "[0, 1, 2]"),
    ("range(1, 4)", "[1, 2, 3]"),
    ("range(1, 8, 2)", "[1, 3, 5, 7]"),
    ("range(4, 1)", "[4, 3, 2]"),
    ("range(10, 5, -2)", "[10, 8, 6]"),
    ("reverse([1, 2, 3])", "[3, 2, 1]"),
    ("setintersection([\"a\", \"b\"], [\"b\", \"c\"], [\"b\", \"d\"])", "[\"b\"]"),
    (
        "setproduct([\"dev\", \"prod\"], [\"a\", \"b\"])",
        "[[\"dev\", \"a\"], [\"dev\", \"b\"], [\"prod\", \"a\"], [\"prod\", \"b\"]]",
    ),
    ("setsubtract([\"a\", \"b\", \"c\"], [\"a\", \"c\"])", "[\"b\"]"),
    ("setunion([\"a\", \"b\"], [\"b\", \"c\"], [\"d\"])", "[\"a\", \"b\", \"c\", \"d\"]"),
    ("slice([\"a\", \"b\", \"c\", \"d\"], 1, 3)", "[\"b\", \"c\"]"),
    ("sort([\"e\", \"d\", \"a\", \"x\"])", "[\"a\", \"d\", \"e\", \"x\"]"),
    ("transpose({a = [\"1\", \"2\"], b = [\"2\", \"3\"]})", "{1: [\"a\"], 2: [\"a\", \"b\"], 3: [\"b\"]}"),
    ("values({a = 3, c = 2, d = 1})", "[3, 2, 1]"),
    ("zipmap([\"a\", \"b\"], [1, 2])", "{a: 1, b: 2}"),
    ("base64decode(\"SGVsbG8gV29ybGQ=\")", "\"Hello World\""),
    ("base64encode(\"Hello World\")", "\"SGVsbG8gV29ybGQ=\""),
    (
        "csvdecode(\"a,b,c\\n1,2,3\\n4,\\\"5,\\\"\\\"\\\",6\\n\")",
        "[{a: \"1\", b: \"2\", c: \"3\"}, {a: \"4\", b: \"5,\\\"\", c: \"6\"}]",
    ),
    ("jsondecode(\"{\\\"hello\\\": \\\"world\\\"}\")", "{hello: \"world\"}"),
    ("textencodebase64(\"Hello World\", \"UTF-16LE\")", "\"SABlAGwAbABvACAAVwBvAHIAbABkAA==\""),
    ("textdecodebase64(\"SABlAGwAbABvACAAVwBvAHIAbABkAA==\", \"UTF-16LE\")", "\"Hello World\""),
    ("urlencode(\"Hello World!\")", "\"Hello+World%21\""),
    ("urldecode(\"%E2%98%83\")", "\"☃\""),
    ("yamldecode(\"{a: 1, b: [x, true]}\")", "{a: 1, b: [\"x\", true]}"),
    (
        "yamlencode({foo = [1, {a = \"b\", c = []}], bar = {baz = null}})",
        "\"\\\"bar\\\":\\n  \\\"baz\\\": null\\n\\\"foo\\\":\\n- 1\\n- \\\"a\\\": \\\"b\\\"\\n  \\\"c\\\": []\\n\"",
    ),
    ("basename(\"foo/bar/baz.txt\")", "\"baz.txt\""),
    ("dirname(\"foo/bar/baz.txt\")", "\"foo/bar\""),
    ("formatdate(\"DD MMM YYYY hh:mm ZZZ\", \"2018-01-02T23:12:01Z\")", "\"02 Jan 2018 23:12 UTC\""),
    (
        "formatdate(\"EEEE, DD-MMM-YY hh:mm:ss ZZZ\", \"2018-01-02T23:12:01Z\")",
        "\"Tuesday, 02-Jan-18 23:12:01 UTC\"",
    ),
    (
        "formatdate(\"EEE, DD MMM YYYY hh:mm:ss ZZZ\", \"2018-01-02T23:12:01-08:00\")",
        "\"Tue, 02 Jan 2018 23:12:01 -0800\"",
    ),
    ("formatdate(\"MMM DD, YYYY\", \"2018-01-02T23:12:01Z\")", "\"Jan 02, 2018\""),
    ("formatdate(\"HH:mmaa\", \"2018-01-02T23:12:01Z\")", "\"11:12pm\""),
    ("formatdate(\"h'h'mm\", \"2018-01-02T23:12:01Z\")", "\"23h12\""),
    ("timeadd(\"2017-11-22T00:00:00Z\", \"10m\")", "\"2017-11-22T00:10:00Z\""),
    ("timecmp(\"2017-11-22T00:00:00Z\", \"2017-11-22T01:00:00Z\")", "-1"),
    ("timecmp(\"2017-11-22T01:00:00Z\", \"2017-11-22T00:00:00-01:00\")", "0"),
    ("base64sha256(\"hello world\")", "\"uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=\""),
    ("md5(\"hello world\")", "\"5eb63bbbe01eeed093cb22bb8f5acdc3\""),
    ("sha1(\"hello world\")", "\"2aae6c35c94fcfb415dbe95f408b9ce91ee846ed\""),
    ("sha256(\"hello world\")", "\"b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9\""),
    ("uuidv5(\"dns\", \"www.terraform.io\")", "\"a5008fae-b28c-5ba5-96cd-82b4c53552d6\""),
    ("uuidv5(\"url\", \"https://www.terraform.io/\")", "\"9db6f67c-dd95-5ea0-aa5b-e70e5c5f7cf5\""),
    ("cidrhost(\"10.12.112.0/20\", 16)", "\"10.12.112.16\""),
    ("cidrhost(\"10.12.112.0/20\", 268)", "\"10.12.113.12\""),
    ("cidrhost(\"fd00:fd12:3456:7890:00a2::/72\", 34)", "\"fd00:fd12:3456:7890::22\""),
    ("cidrnetmask(\"172.16.0.0/12\")", "\"255.240.0.0\""),
    ("cidrsubnet(\"172.16.0.0/12\", 4, 2)", "\"172.18.0.0/16\""),
    ("cidrsubnet(\"10.1.2.0/24\", 4, 15)", "\"10.1.2.240/28\""),
    ("cidrsubnet(\"fd00:fd12:3456:7890::/56\", 16, 162)", "\"fd00:fd12:3456:7800:a200::/72\""),
    (
        "cidrsubnets(\"10.1.0.0/16\", 4, 4, 8, 4)",
        "[\"10.1.0.0/20\", \"10.1.16.0/20\", \"10.1.32.0/24\", \"10.1.48.0/20\"]",
    ),
    ("tobool(\"true\")", "true"),
    ("tolist(toset([\"b\", \"a\", \"b\"]))", "[\"a\", \"b\"]"),
    ("tonumber(\"1.5\")", "1.5"),
    ("tostring(1)", "\"1\""),
    ("tomap({a = 1})", "{a: 1}"),
    ("nonsensitive(sensitive(\"a\"))", "\"a\""),
    ("templatestring(\"a $${x}\", {x = 1})", "\"a 1\""),
];

#[test]
fn documented_results() {
    let mut text = String::from("resource \"null_thing\" \"x\" {\n");
    for (number, (expression, _)) in DOCUMENTED.iter().enumerate() {
        text.push_str(&format!("  f{number} = {expression}\n"));
    }
    text.push_str("}\n");
    let (resources, problems) = terraform(&[("main.tf", &text)]);
    let mut wrong: Vec<String> = Vec::new();
    for (number, (expression, expected)) in DOCUMENTED.iter().enumerate() {
        let found = resources[0].node.get(&format!("f{number}")).map_or_else(|| "absent".to_owned(), shown);
        if found != *expected {
            wrong.push(format!("{expression} is {found}, documented is {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}\n{problems:?}", wrong.join("\n"));
}

/// Each row of the tables has a documented result, or another test that names it.
#[test]
fn no_function_is_without_a_test() {
    let elsewhere = ["jsonencode", "ephemeralasnull", "issensitive", "sensitive", "base64sha512", "sha512"];
    let untested: Vec<&str> = all()
        .map(|function| function.name)
        .filter(|name| !elsewhere.contains(name))
        .filter(|name| !DOCUMENTED.iter().any(|(expression, _)| expression.contains(&format!("{name}("))))
        .collect();
    assert!(untested.is_empty(), "{untested:?}");
}
