{{/* Secrets and files, as volumes and where they are mounted. Each Secret is named in the values and made by somebody else. */}}

{{/* What every process needs. */}}
{{- define "onward.commonVolumes" -}}
{{- with .Values.kafka.tls }}
{{- if and .enabled .existingSecret }}
- name: kafka-tls
  secret:
    secretName: {{ .existingSecret }}
    items:
      {{- with .caKey }}
      - { key: {{ . | quote }}, path: ca.crt }
      {{- end }}
      {{- if .certKey }}
      - { key: {{ .certKey | quote }}, path: tls.crt }
      - { key: {{ .keyKey | quote }}, path: tls.key }
      {{- end }}
{{- end }}
{{- end }}
{{- with .Values.kafka.sasl }}
{{- if .mechanism }}
- name: kafka-sasl
  secret: { secretName: {{ .existingSecret }}, items: [{ key: {{ .passwordKey | quote }}, path: password }] }
{{- end }}
{{- end }}
{{- with .Values.schemaRegistry }}
{{- if and .url .username }}
- name: schema-registry
  secret: { secretName: {{ .existingSecret }}, items: [{ key: {{ .passwordKey | quote }}, path: password }] }
{{- end }}
{{- end }}
{{- end -}}

{{- define "onward.commonMounts" -}}
{{- if and .Values.kafka.tls.enabled .Values.kafka.tls.existingSecret }}
- { name: kafka-tls, mountPath: /etc/onward/kafka-tls, readOnly: true }
{{- end }}
{{- if .Values.kafka.sasl.mechanism }}
- { name: kafka-sasl, mountPath: /etc/onward/kafka-sasl, readOnly: true }
{{- end }}
{{- if and .Values.schemaRegistry.url .Values.schemaRegistry.username }}
- { name: schema-registry, mountPath: /etc/onward/schema-registry, readOnly: true }
{{- end }}
{{- end -}}

{{/* What reaches remote APIs and webhooks needs. */}}
{{- define "onward.outboundVolumes" -}}
{{- with .Values.outbound }}
{{- if .proxySecret }}
- name: proxy
  secret: { secretName: {{ .proxySecret }}, items: [{ key: {{ .proxyKey | quote }}, path: url }] }
{{- end }}
{{- end }}
{{- range $index, $name := .Values.connectionSecrets.files }}
- name: connection-secret-{{ $index }}
  secret: { secretName: {{ $name }} }
{{- end }}
{{- end -}}

{{- define "onward.outboundMounts" -}}
{{- if .Values.outbound.proxySecret }}
- { name: proxy, mountPath: /etc/onward/proxy, readOnly: true }
{{- end }}
{{- range $index, $name := .Values.connectionSecrets.files }}
- { name: connection-secret-{{ $index }}, mountPath: /etc/onward/secrets/{{ $name }}, readOnly: true }
{{- end }}
{{- end -}}

{{- define "onward.forwarderVolumes" -}}
{{- include "onward.commonVolumes" . }}
{{- include "onward.outboundVolumes" . }}
{{- with .Values.forwarder.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "onward.forwarderMounts" -}}
{{- include "onward.commonMounts" . }}
{{- include "onward.outboundMounts" . }}
{{- with .Values.forwarder.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "onward.notifierVolumes" -}}
{{- include "onward.commonVolumes" . }}
{{- include "onward.outboundVolumes" . }}
- name: notifier
  secret:
    secretName: {{ .Values.notifier.existingSecret }}
    items:
      {{- range $file, $key := include "onward.notifierSecretKeys" .Values.notifier | fromYaml }}
      {{- if $key.key }}
      - { key: {{ $key.key | quote }}, path: {{ $file }} }
      {{- end }}
      {{- end }}
{{- if .Values.notifier.templates }}
- name: templates
  configMap: { name: {{ include "onward.fullname" . }}-mail-templates }
{{- end }}
{{- with .Values.notifier.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "onward.notifierMounts" -}}
{{- include "onward.commonMounts" . }}
{{- include "onward.outboundMounts" . }}
- { name: notifier, mountPath: /etc/onward/notifier, readOnly: true }
{{- if .Values.notifier.templates }}
- { name: templates, mountPath: /etc/onward/templates, readOnly: true }
{{- end }}
{{- with .Values.notifier.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}
