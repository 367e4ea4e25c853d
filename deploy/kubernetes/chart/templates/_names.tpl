{{/* What the names of all resources begin with. */}}
{{- define "genai.name" -}}
{{- .Values.nameOverride | default .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{/* The labels by which a component's pods are found: a list of root and component. */}}
{{- define "genai.selector" -}}
app.kubernetes.io/name: genai-observability
app.kubernetes.io/instance: {{ include "genai.name" (index . 0) }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* All labels of a resource: a list of root and component. */}}
{{- define "genai.labels" -}}
{{ include "genai.selector" . }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
{{- end }}

{{/* An image by version, or by digest if there is one. */}}
{{- define "genai.image" -}}
{{ .repository }}:{{ .tag }}{{ with .digest }}@{{ . }}{{ end }}
{{- end }}

{{/* Who takes telemetry: the agent of the node, or a gateway if there are no agents. */}}
{{- define "genai.receiver" -}}
{{ include "genai.name" . }}-{{ ternary "agent" "gateway" .Values.agent.enabled }}
{{- end }}

{{/* What no container of this chart needs: root, other privileges, and to write into its image. */}}
{{- define "genai.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* The same for a pod: the user that it runs as. */}}
{{- define "genai.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* Where the pods of a component may run. */}}
{{- define "genai.placement" -}}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{/* Whose images a pod may pull. */}}
{{- define "genai.pullSecrets" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - {name: {{ . }}}
  {{- end }}
{{- end }}
{{- end }}

{{/* A variable whose value a Secret has: a map of name, key and optional. */}}
{{- define "genai.secretVariable" -}}
valueFrom:
  secretKeyRef:
    name: {{ .name }}
    key: {{ .key }}
    {{- if .optional }}
    optional: true
    {{- end }}
{{- end }}

{{/* The container of a Collector: a map of root, component and its values. */}}
{{- define "genai.collector" -}}
- name: collector
  image: {{ include "genai.image" .root.Values.collector.image }}
  imagePullPolicy: {{ .root.Values.collector.image.pullPolicy }}
  args:
    {{- range .values.files }}
    - --config=/etc/genai/{{ . }}.yaml
    {{- end }}
  env:
    - name: LISTEN
      value: 0.0.0.0
    # A quarter is left for what the limiter does not count. With GOMEMLIMIT, memory is collected before the limit is met.
    - name: MEMORY_MIB
      value: {{ div (mul .values.memoryMiB 3) 4 | quote }}
    - name: MEMORY_SPIKE_MIB
      value: {{ div .values.memoryMiB 5 | quote }}
    - name: GOMEMLIMIT
      value: {{ div (mul .values.memoryMiB 4) 5 }}MiB
    {{- if eq .component "agent" }}
    - name: GATEWAY_HOST
      value: {{ include "genai.name" .root }}-gateways
    {{- end }}
    {{- range $name, $value := .values.env }}
    - name: {{ $name }}
      value: {{ $value | quote }}
    {{- end }}
  {{- with .values.existingSecret }}
  envFrom:
    - secretRef: {name: {{ . }}}
  {{- end }}
  ports:
    - {name: otlp-grpc, containerPort: 4317}
    - {name: otlp-http, containerPort: 4318}
    - {name: metrics, containerPort: 8888}
    - {name: health, containerPort: 13133}
  startupProbe: {httpGet: {path: /, port: health}, periodSeconds: 2, failureThreshold: 30}
  readinessProbe: {httpGet: {path: /, port: health}}
  livenessProbe: {httpGet: {path: /, port: health}, periodSeconds: 20, failureThreshold: 3}
  resources:
    requests:
      cpu: {{ .values.resources.requests.cpu }}
      memory: {{ div .values.memoryMiB 2 }}Mi
    limits: {memory: {{ .values.memoryMiB }}Mi}
  securityContext: {{- include "genai.containerSecurity" .root | nindent 4 }}
  volumeMounts:
    - {name: files, mountPath: /etc/genai, readOnly: true}
    {{- if has "persist" .values.files }}
    - {name: queues, mountPath: /var/lib/otelcol}
    {{- end }}
{{- end }}

{{/* What is common to the pods of agents and gateways: a map of root, component and its values. */}}
{{- define "genai.collectorPod" -}}
metadata:
  labels: {{- include "genai.labels" (list .root .component) | nindent 4 }}
  annotations:
    # A change of the files starts the pods anew.
    checksum/files: {{ include (print .root.Template.BasePath "/collector-files.yaml") .root | sha256sum }}
spec:
  automountServiceAccountToken: false
  # Long enough for what is in the queues.
  terminationGracePeriodSeconds: 60
  securityContext: {{- include "genai.podSecurity" 10001 | nindent 4 }}
  {{- with include "genai.pullSecrets" .root | trim }}{{ . | nindent 2 }}{{ end }}
  {{- with include "genai.placement" .values | trim }}{{ . | nindent 2 }}{{ end }}
  containers: {{- include "genai.collector" . | nindent 4 }}
  volumes:
    - name: files
      configMap: {name: {{ include "genai.name" .root }}-collector}
    {{- if has "persist" .values.files }}
    - name: queues
      emptyDir: {sizeLimit: {{ .values.queueDisk }}}
    {{- end }}
{{- end }}
