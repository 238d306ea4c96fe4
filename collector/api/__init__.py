"""The management API: what the console does, for programs, and an OpenAPI document made from the code."""

from collector.api.application import api_application
from collector.api.openapi import document
from collector.api.services import Services
from collector.api.table import OPERATIONS

__all__ = ["OPERATIONS", "Services", "api_application", "document"]
