___INFO___

{
  "type": "TAG",
  "id": "cvt_temp_public_id",
  "version": 1,
  "securityGroups": [],
  "displayName": "Headwater",
  "categories": ["ANALYTICS"],
  "brand": {"id": "brand_headwater", "displayName": "Headwater"},
  "description": "Loads the Headwater tracker of a source and, if an event is named, records it.",
  "containerContexts": ["WEB"]
}


___TEMPLATE_PARAMETERS___

[
  {
    "type": "TEXT",
    "name": "src",
    "displayName": "Address of the tracker",
    "simpleValueType": true,
    "valueHint": "https://collect.example.com/s/web1.js",
    "help": "The src of the second tag that the console's Install shows. Allow its host under this template's permissions.",
    "valueValidators": [
      {"type": "NON_EMPTY"},
      {
        "type": "REGEX",
        "args": ["^https://.+/s/[\\w-]+(\\.[0-9a-f]+)?\\.js$"],
        "errorMessage": "It begins with https:// and ends with /s/ and the source, .js."
      }
    ]
  },
  {
    "type": "TEXT",
    "name": "event",
    "displayName": "Event to record (leave empty to count views only)",
    "simpleValueType": true
  },
  {
    "type": "SIMPLE_TABLE",
    "name": "properties",
    "displayName": "Properties",
    "simpleTableColumns": [
      {"name": "key", "displayName": "Name", "type": "TEXT", "defaultValue": ""},
      {"name": "value", "displayName": "Value", "type": "TEXT", "defaultValue": ""}
    ]
  }
]


___SANDBOXED_JS_FOR_WEB_TEMPLATE___

const callInWindow = require('callInWindow');
const injectScript = require('injectScript');
const makeTableMap = require('makeTableMap');

const loaded = () => {
  if (data.event) {
    callInWindow('headwater', 'track', data.event, data.properties ? makeTableMap(data.properties, 'key', 'value') : {});
  }
  data.gtmOnSuccess();
};

// The address is the cache token: however many tags fire, the tracker is loaded once.
injectScript(data.src, loaded, data.gtmOnFailure, data.src);


___WEB_PERMISSIONS___

[
  {
    "instance": {
      "key": {"publicId": "access_globals", "versionId": "1"},
      "param": [
        {
          "key": "keys",
          "value": {
            "type": 2,
            "listItem": [
              {
                "type": 3,
                "mapKey": [
                  {"type": 1, "string": "key"},
                  {"type": 1, "string": "read"},
                  {"type": 1, "string": "write"},
                  {"type": 1, "string": "execute"}
                ],
                "mapValue": [
                  {"type": 1, "string": "headwater"},
                  {"type": 8, "boolean": false},
                  {"type": 8, "boolean": false},
                  {"type": 8, "boolean": true}
                ]
              }
            ]
          }
        }
      ]
    },
    "clientAnnotations": {"isEditedByUser": true},
    "isRequired": true
  },
  {
    "instance": {
      "key": {"publicId": "inject_script", "versionId": "1"},
      "param": [
        {"key": "urls", "value": {"type": 2, "listItem": [{"type": 1, "string": "https://collect.example.com/*"}]}}
      ]
    },
    "clientAnnotations": {"isEditedByUser": true},
    "isRequired": true
  }
]


___TESTS___

scenarios:
- name: The tracker is loaded, then the event is recorded
  code: |-
    mock('injectScript', (url, success) => success());
    mock('callInWindow', (name, method, event) => {
      assertThat(name + ' ' + method + ' ' + event).isEqualTo('headwater track Signed up');
    });
    runCode({src: 'https://collect.example.com/s/web1.js', event: 'Signed up'});
    assertApi('injectScript').wasCalled();
    assertApi('callInWindow').wasCalled();
    assertApi('gtmOnSuccess').wasCalled();


___NOTES___

Allow the address of your collector under Permissions, Injects scripts.
The preset lite, and a source with another global than headwater: use a tag of the type Custom HTML with the snippet.
