resource "aws_s3_bucket" "orders" {
  bucket = "shop-orders-archive"
}

resource "aws_s3_bucket_public_access_block" "orders" {
  bucket                  = aws_s3_bucket.orders.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# What the storefront's pods may do in AWS: write invoices, and (nobody remembers why) read every archived order.
resource "aws_iam_role" "storefront" {
  name = "shop-storefront"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/SHOP" }
      Condition = {
        StringEquals = { "oidc.eks.eu-central-1.amazonaws.com/id/SHOP:sub" = "system:serviceaccount:shop:storefront" }
      }
    }]
  })
}

resource "aws_iam_role_policy" "storefront" {
  role = aws_iam_role.storefront.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = ["s3:PutObject"], Resource = "${aws_s3_bucket.orders.arn}/invoices/*" },
      { Effect = "Allow", Action = ["s3:GetObject", "s3:ListBucket"], Resource = ["${aws_s3_bucket.orders.arn}", "${aws_s3_bucket.orders.arn}/*"] },
    ]
  })
}
