#!/usr/bin/env python3
"""Writes a Terraform configuration of about N lines: modules, variables, loops, security groups, buckets, databases.

    benches/hcl.py DIRECTORY [LINES]
"""
import pathlib
import sys

root = pathlib.Path(sys.argv[1])
lines = int(sys.argv[2]) if len(sys.argv) > 2 else 50_000
module = root / "modules" / "service"
module.mkdir(parents=True, exist_ok=True)
(module / "main.tf").write_text('''variable "name" { type = string }
variable "ports" { type = list(number) }
variable "encrypted" { default = true }
resource "aws_security_group" "this" {
  name        = "${var.name}-${terraform.workspace}"
  description = "service ${var.name}"
  dynamic "ingress" {
    for_each = var.ports
    content {
      description = "port ${ingress.value}"
      protocol    = "tcp"
      from_port   = ingress.value
      to_port     = ingress.value
      cidr_blocks = ["10.0.0.0/8"]
    }
  }
}
resource "aws_ebs_volume" "this" {
  count             = 2
  availability_zone = "eu-west-1${element(["a", "b"], count.index)}"
  size              = 10
  encrypted         = var.encrypted
}
output "group" { value = aws_security_group.this.id }
''')
BLOCK = '''resource "aws_s3_bucket" "b{n}" {{
  bucket = "${{var.prefix}}-data-{n}"
  tags   = merge(local.tags, {{
    Name  = "bucket {n}"
    Index = {n}
  }})
}}
resource "aws_s3_bucket_public_access_block" "b{n}" {{
  bucket                  = aws_s3_bucket.b{n}.id
  block_public_acls       = true
  block_public_policy     = {flag}
  ignore_public_acls      = true
  restrict_public_buckets = true
}}
resource "aws_db_instance" "d{n}" {{
  identifier           = "${{var.prefix}}-{n}"
  engine               = "postgres"
  instance_class       = "db.t3.micro"
  publicly_accessible  = {flag}
  storage_encrypted    = true
  vpc_security_group_ids = [aws_security_group.g{n}.id, module.s{n}.group]
}}
resource "aws_security_group" "g{n}" {{
  description = "group {n}"
  ingress {{
    description = "from {n}"
    protocol    = "tcp"
    from_port   = {n}
    to_port     = {n} + 1
    cidr_blocks = [cidrsubnet("10.0.0.0/8", 8, {byte})]
  }}
}}
data "aws_iam_policy_document" "p{n}" {{
  statement {{
    actions   = ["s3:GetObject"]
    resources = ["${{aws_s3_bucket.b{n}.arn}}/*"]
  }}
}}
resource "aws_iam_policy" "p{n}" {{
  name   = "p{n}"
  policy = data.aws_iam_policy_document.p{n}.json
}}
module "s{n}" {{
  source = "./modules/service"
  name   = "s{n}"
  ports  = [for p in local.ports : p + {n}]
}}
'''
(root / "variables.tf").write_text('''variable "prefix" { default = "bench" }
locals {
  tags  = { Owner = "bench", Environment = "${var.prefix}-env" }
  ports = [80, 443]
}
''')
each = BLOCK.count("\n")
for part in range(0, lines // each, 100):
    numbers = range(part, min(part + 100, lines // each))
    blocks = (BLOCK.format(n=n, byte=n % 256, flag=str(n % 7 == 0).lower()) for n in numbers)
    (root / f"part{part // 100}.tf").write_text("".join(blocks))
