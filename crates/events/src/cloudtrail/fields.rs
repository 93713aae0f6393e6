//! The table of fields.

use yagura_formats::document::Node;
use yagura_model::field::{ArgumentRule, FieldType, FieldValue};

use super::present;
use crate::audit::{Row, text};

type Keys = &'static [&'static str];

/// Where a field's values are in a record.
#[derive(Clone, Copy, Debug)]
pub(super) enum How {
    Text(Keys),
    /// Whatever is there, as JSON.
    Json(Keys),
    Flag(&'static str),
    ShortSource,
    User,
    OriginalUser,
    Account,
    ReadOnly,
    Resources,
    Summary,
    ObjectUri,
    Bytes {
        inwards: bool,
        outwards: bool,
    },
    /// 1 for calls of these names, or of all others.
    Counts(&'static [&'static str], bool),
    InstanceName,
    ImageIds,
    FirstImageId,
}

const fn one(name: &'static str, how: How, description: &'static str) -> Row<How> {
    Row { name, kind: FieldType::Text, list: false, argument: ArgumentRule::None, how, description }
}

const fn number(name: &'static str, how: How, description: &'static str) -> Row<How> {
    Row { kind: FieldType::Unsigned, ..one(name, how, description) }
}

#[rustfmt::skip]
pub(super) const ROWS: &[Row<How>] = &[
    one("ct.id", How::Text(&["eventID"]), "unique id of the record"),
    one("ct.error", How::Text(&["errorCode"]), "error code; missing when there was no error"),
    one("ct.errormessage", How::Text(&["errorMessage"]), "what went wrong"),
    one("ct.time", How::Text(&["eventTime"]), "when it happened"),
    one("ct.src", How::Text(&["eventSource"]), "service, such as s3.amazonaws.com"),
    one("ct.shortsrc", How::ShortSource, "service without .amazonaws.com"),
    one("ct.name", How::Text(&["eventName"]), "name of the call"),
    one("ct.user", How::User, "who called; for an assumed role, the role"),
    one("ct.originaluser", How::OriginalUser, "who called; for an assumed role, the session"),
    one("ct.user.accountid", How::Account, "account of who called"),
    one("ct.user.identitytype", How::Text(&["userIdentity", "type"]), "kind of identity, such as Root or IAMUser"),
    one("ct.user.principalid", How::Text(&["userIdentity", "principalId"]), "unique id of who called"),
    one("ct.user.arn", How::Text(&["userIdentity", "arn"]), "ARN of who called"),
    one("ct.region", How::Text(&["awsRegion"]), "region"),
    one("ct.response.subnetid", How::Text(&["responseElements", "subnetId"]), "subnet in the response"),
    one("ct.response.reservationid", How::Text(&["responseElements", "reservationId"]), "reservation in the response"),
    one("ct.response", How::Json(&["responseElements"]), "the whole response, as JSON"),
    one("ct.request.availabilityzone", How::Text(&["requestParameters", "availabilityZone"]), "availability zone asked for"),
    one("ct.request.cluster", How::Text(&["requestParameters", "cluster"]), "cluster asked for"),
    one("ct.request.functionname", How::Text(&["requestParameters", "functionName"]), "function asked for"),
    one("ct.request.groupname", How::Text(&["requestParameters", "groupName"]), "group asked for"),
    one("ct.request.host", How::Text(&["requestParameters", "Host"]), "host asked for"),
    one("ct.request.name", How::Text(&["requestParameters", "name"]), "name asked for"),
    one("ct.request.policy", How::Text(&["requestParameters", "policy"]), "policy asked for"),
    one("ct.request.reason", How::Text(&["requestParameters", "reason"]), "reason given"),
    one("ct.request.target", How::Text(&["requestParameters", "target"]), "target asked for"),
    one("ct.request.documentname", How::Text(&["requestParameters", "documentName"]), "document asked for"),
    one("ct.request.serialnumber", How::Text(&["requestParameters", "serialNumber"]), "serial number given"),
    one("ct.request.servicename", How::Text(&["requestParameters", "serviceName"]), "service asked for"),
    one("ct.request.subnetid", How::Text(&["requestParameters", "subnetId"]), "subnet asked for"),
    one("ct.request.taskdefinition", How::Text(&["requestParameters", "taskDefinition"]), "task definition asked for"),
    one("ct.request.username", How::Text(&["requestParameters", "userName"]), "user asked for"),
    one("ct.request", How::Json(&["requestParameters"]), "the whole request, as JSON"),
    one("ct.srcip", How::Text(&["sourceIPAddress"]), "address of who called"),
    one("ct.useragent", How::Text(&["userAgent"]), "user agent of who called"),
    one("ct.info", How::Summary, "summary: who, from where, what"),
    one("ct.managementevent", How::Flag("managementEvent"), "whether it is a management event"),
    one("ct.readonly", How::ReadOnly, "whether the call changes nothing"),
    one("ct.requestid", How::Text(&["requestID"]), "id of the request"),
    one("ct.eventtype", How::Text(&["eventType"]), "type of the event"),
    one("ct.apiversion", How::Text(&["apiVersion"]), "version of the API"),
    one("ct.resources", How::Resources, "resources that were touched, as JSON"),
    one("ct.recipientaccountid", How::Text(&["recipientAccountId"]), "account that got the record"),
    one("ct.serviceeventdetails", How::Text(&["serviceEventDetails"]), "what triggered a service's event"),
    one("ct.sharedeventid", How::Text(&["sharedEventID"]), "id that records of several accounts share"),
    one("ct.vpcendpointid", How::Text(&["vpcEndpointId"]), "VPC endpoint of the request"),
    one("ct.eventcategory", How::Text(&["eventCategory"]), "category of the event"),
    one("ct.addendum.reason", How::Text(&["addendum", "reason"]), "why something came late"),
    one("ct.addendum.updatedfields", How::Text(&["addendum", "updatedFields"]), "fields that came late"),
    one("ct.addendum.originalrequestid", How::Text(&["addendum", "originalRequestID"]), "first id of the request"),
    one("ct.addendum.originaleventid", How::Text(&["addendum", "originalEventID"]), "first id of the record"),
    one("ct.sessioncredentialfromconsole", How::Flag("sessionCredentialFromConsole"), "whether a console session called"),
    one("ct.edgedevicedetails", How::Text(&["edgeDeviceDetails"]), "edge devices that were targets"),
    one("ct.tlsdetails.tlsversion", How::Text(&["tlsDetails", "tlsVersion"]), "version of TLS"),
    one("ct.tlsdetails.ciphersuite", How::Text(&["tlsDetails", "cipherSuite"]), "cipher suite of TLS"),
    one("ct.tlsdetails.clientprovidedhostheader", How::Text(&["tlsDetails", "clientProvidedHostHeader"]), "host that the client named"),
    one("ct.additionaleventdata", How::Json(&["additionalEventData"]), "additional data, as JSON"),
    one("s3.uri", How::ObjectUri, "s3://bucket/key"),
    one("s3.bucket", How::Text(&["requestParameters", "bucketName"]), "bucket"),
    one("s3.key", How::Text(&["requestParameters", "key"]), "key"),
    number("s3.bytes", How::Bytes { inwards: true, outwards: true }, "bytes up and down"),
    number("s3.bytes.in", How::Bytes { inwards: true, outwards: false }, "bytes up"),
    number("s3.bytes.out", How::Bytes { inwards: false, outwards: true }, "bytes down"),
    number("s3.cnt.get", How::Counts(&["GetObject"], true), "1 for GetObject"),
    number("s3.cnt.put", How::Counts(&["PutObject"], true), "1 for PutObject"),
    number("s3.cnt.other", How::Counts(&["GetObject", "PutObject"], false), "1 for all other calls"),
    one("ec2.name", How::InstanceName, "name of instances, from their tags"),
    one("ec2.imageid", How::FirstImageId, "first image of instances"),
    Row { list: true, argument: ArgumentRule::OptionalIndex, ..one("ec2.imageids", How::ImageIds, "images of instances") },
    one("ecr.repository", How::Text(&["requestParameters", "repositoryName"]), "repository of images"),
    one("ecr.imagetag", How::Text(&["requestParameters", "imageTag"]), "tag of an image"),
    one("iam.role", How::Text(&["requestParameters", "roleName"]), "role asked for"),
    one("iam.policy", How::Text(&["requestParameters", "policyName"]), "policy asked for"),
];

pub(super) fn bytes(root: &Node<'_>, inwards: bool, outwards: bool) -> Option<u64> {
    let count = |key: &str| {
        let text = present(root, &["additionalEventData", key])?.scalar()?;
        // Counts are sometimes written as 33.0.
        let whole = text.split('.').next().unwrap_or(text);
        Some(whole.parse().unwrap_or(0_u64))
    };
    let inwards = if inwards { count("bytesTransferredIn") } else { None };
    let outwards = if outwards { count("bytesTransferredOut") } else { None };
    match (inwards, outwards) {
        (None, None) => None,
        (inwards, outwards) => Some(inwards.unwrap_or(0).saturating_add(outwards.unwrap_or(0))),
    }
}

pub(super) fn instance_name<'n>(root: &'n Node<'_>) -> Option<FieldValue<'n>> {
    let items = present(root, &["requestParameters", "tagSpecificationSet", "items"])?.items();
    let instances = items.iter().filter(|item| item.text_of("resourceType") == Some("instance"));
    let mut tags = instances.flat_map(|item| item.get("tags").map(Node::items).unwrap_or_default());
    let name = tags.find(|tag| tag.text_of("key") == Some("Name"))?.get("value")?;
    Some(text(name)).filter(|name| *name != FieldValue::text(""))
}

pub(super) fn image_ids<'n>(root: &'n Node<'_>, index: Option<u32>) -> Vec<FieldValue<'n>> {
    if let Some(instances) = present(root, &["responseElements", "instancesSet", "items"]) {
        let wanted = |at: &usize| index.is_none_or(|index| index as usize == *at);
        let items = instances.items().iter().enumerate().filter(|(at, _)| wanted(at));
        return items.filter_map(|(_, item)| item.get("imageId")).map(text).collect();
    }
    if index.is_some_and(|index| index > 0) {
        return Vec::new();
    }
    let places: &[Keys] = &[
        &["requestParameters", "imageId"],
        &["requestParameters", "DescribeFastLaunchImagesRequest", "ImageId", "content"],
        &["requestParameters", "launchSpecification", "imageId"],
    ];
    places.iter().find_map(|keys| present(root, keys)).map(text).into_iter().collect()
}
